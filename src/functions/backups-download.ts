import { backupNameParams } from '../lib/backup/index.ts';
import { empty, endpoint, scope } from '../lib/http/index.ts';
import { runtime } from '../runtime.ts';

/** Sends the caller to the bytes of a backup. A dump holds everything, so only admins may have it. */
export const backupsDownload = endpoint({
  name: 'backups-download',
  method: 'GET',
  route: 'api/v1/backups/{name}/download',
  summary: 'Download a backup',
  access: scope('admin'),
  params: backupNameParams,
  responses: { 302: undefined },
  async handle({ params, signal }) {
    return empty(302, { location: await runtime().backups().downloadUrl(params.name, signal) });
  },
});
