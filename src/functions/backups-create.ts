import { backupRequest, backupShape } from '../lib/backup/index.ts';
import { endpoint, json, scope } from '../lib/http/index.ts';
import { runtime } from '../runtime.ts';

/** Asks for a backup of the database; a worker carries it out. */
export const backupsCreate = endpoint({
  name: 'backups-create',
  method: 'POST',
  route: 'api/v1/backups',
  summary: 'Take a backup',
  access: scope('backups:write'),
  body: backupRequest.optional(),
  responses: { 202: backupShape },
  async handle({ body, signal }) {
    const backup = await runtime()
      .backups()
      .request(body?.kind ?? 'full', signal);
    return json(202, backup, { location: `/api/v1/backups/${backup.name}` });
  },
});
