import { backupRequest, backupShape } from '../lib/backup/index.ts';
import { endpoint, keyedRequest, recordedAnswer, scope } from '../lib/http/index.ts';
import { runtime } from '../runtime.ts';

/** Asks for a backup of the database; a worker carries it out. */
export const backupsCreate = endpoint({
  name: 'backups-create',
  method: 'POST',
  route: 'api/v1/backups',
  summary: 'Take a backup',
  access: scope('backups:write'),
  body: backupRequest.optional(),
  idempotent: true,
  responses: { 202: backupShape },
  async handle({ body, requestKey, signal }) {
    const { backups, idempotency } = runtime();
    const kind = body?.kind ?? 'full';
    const outcome = await idempotency.once(keyedRequest(requestKey, { kind }), signal, async (attempt) => {
      const backup = await backups().request(kind, signal, attempt);
      const headers = { location: `/api/v1/backups/${backup.name}` };
      await attempt.recordApart({ status: 202, headers, body: backup });
    });
    return recordedAnswer(outcome);
  },
});
