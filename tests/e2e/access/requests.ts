import { randomUUID } from 'node:crypto';
import { json } from '../../support/api.ts';
import { formOf, pngBytes } from '../../support/uploads.ts';
import { administrationRequests } from './administration-requests.ts';
import type { Caller, Callers } from './callers.ts';
import type { Fixtures } from './fixtures.ts';

/** What a row needs to ask its endpoint once. */
export interface Asking {
  readonly caller: Caller;
  /** Owner of what is asked for: the caller, where their kind owns something. */
  readonly ownerId: string;
  readonly callers: Callers;
  readonly fixtures: Fixtures;
  /** Sends a request as the caller; what is read is asked for by HEAD, too, which must have the same status. */
  call(path: string, init?: RequestInit): Promise<Seen>;
}

/** An answer whose body has been read. */
export interface Seen {
  readonly status: number;
  readonly text: string;
}

/** Asks once, with everything right but perhaps the caller, and tells what was seen as the table writes it. */
export type Ask = (asking: Asking) => Promise<string>;

const plain =
  (path: string, init?: RequestInit): Ask =>
  async ({ call }) =>
    String((await call(path, init)).status);

/** `+` when the answer shows the thing, `-` when it does not; nothing when there was a refusal. */
function showing({ status, text }: Seen, thing: string): string {
  if (status >= 300) return String(status);
  return `${status} ${text.includes(thing) ? '+' : '-'}`;
}

type FileState = 'available' | 'quarantined' | 'deleted';

/** A new file of the owner, in a project that the kind `member` is in. */
async function fileFor({ fixtures, ownerId, callers }: Asking, status: FileState = 'available') {
  const projectId = await fixtures.project(...callers.member.map(({ id }) => id));
  const id = await fixtures.file({ ownerId, projectId, status });
  return { id, projectId };
}

const onFile =
  (ask: (asking: Asking, id: string) => Promise<string>, status?: FileState): Ask =>
  async (asking) =>
    ask(asking, (await fileFor(asking, status)).id);

const getFile = async ({ call }: Asking, id: string) => String((await call(`/api/v1/files/${id}`)).status);
const getContent = async ({ call }: Asking, id: string) =>
  String((await call(`/api/v1/files/${id}/content`)).status);
const issueLink = async ({ call }: Asking, id: string) =>
  String((await call('/api/v1/sas', json({ file_id: id }))).status);
const issueLinks = async ({ call }: Asking, id: string) =>
  showing(await call('/api/v1/sas/batch', json({ items: [{ file_id: id }] })), '"url":');
const listFiles = async ({ call }: Asking, id: string) => showing(await call('/api/v1/files'), id);
const listDeleted = async ({ call }: Asking, id: string) =>
  showing(await call('/api/v1/files?status=deleted'), id);
const runReport = async ({ call }: Asking, id: string) =>
  showing(await call('/api/v1/reports/upload-activity'), id);

/** What was refused must be there still, and what was done must be done. */
async function deleteFile({ call, fixtures }: Asking, id: string): Promise<string> {
  const before = await fixtures.statusOf(id);
  const { status } = await call(`/api/v1/files/${id}`, { method: 'DELETE' });
  const after = await fixtures.statusOf(id);
  const isRight = status === 204 ? after === 'deleted' : after === before;
  return `${status}${isRight ? '' : ` but ${after}`}`;
}

/** A file without a project is its owner's alone. */
const onFileAlone =
  (ask: (asking: Asking, id: string) => Promise<string>): Ask =>
  async (asking) =>
    ask(asking, await asking.fixtures.file({ ownerId: asking.ownerId }));

/** What was refused must not have been stored. */
async function upload({ call, caller, fixtures }: Asking, form: FormData, query = ''): Promise<string> {
  const count = async () =>
    (await fixtures.sql('select count(*) from files where owner_id = $1', [caller.id]))[0]?.['count'];
  const before = Number(await count());
  const { status } = await call(`/api/v1/uploads${query}`, { method: 'POST', body: form });
  const stored = Number(await count()) - before;
  const isRight = stored === (status === 201 ? 1 : 0);
  return `${status}${isRight ? '' : ` but ${stored} stored`}`;
}

const projectOfMember = ({ fixtures, callers }: Asking) =>
  fixtures.project(...callers.member.map(({ id }) => id));

async function retryJob({ call, fixtures }: Asking): Promise<string> {
  const id = await fixtures.failedJob();
  const { status } = await call(`/api/v1/jobs/${id}/retry`, { method: 'POST' });
  const [job] = await fixtures.sql('select status from jobs where id = $1', [id]);
  const isRight = status < 300 || job?.['status'] === 'failed';
  return `${status}${isRight ? '' : ` but ${job?.['status']}`}`;
}

async function createBackup({ call, fixtures }: Asking): Promise<string> {
  await fixtures.backupsAreIdle();
  const count = async () =>
    Number((await fixtures.sql(`select count(*) from jobs where kind = 'backup'`))[0]?.['count']);
  const before = await count();
  const { status } = await call('/api/v1/backups', json({ kind: 'full' }));
  const asked = (await count()) - before;
  return `${status}${status < 300 || asked === 0 ? '' : ` but ${asked} asked for`}`;
}

/** How each row of the table asks: by the name of its endpoint, and what is special about the request. */
export const requests: Readonly<Record<string, Ask>> = {
  ...administrationRequests,
  'audit-list': plain('/api/v1/audit'),
  'azure-cache-stats': plain('/api/v1/monitoring/azure-cache-stats'),
  'backups-create': createBackup,
  'backups-download': async ({ call, fixtures }) =>
    String((await call(`/api/v1/backups/${fixtures.backupName}/download`)).status),
  'backups-get': async ({ call, fixtures }) =>
    String((await call(`/api/v1/backups/${fixtures.backupName}`)).status),
  'backups-list': async ({ call, fixtures }) =>
    showing(await call('/api/v1/backups?per_page=200'), fixtures.backupName),
  'breakers-list': plain('/api/v1/monitoring/breakers'),
  'breakers-set': plain('/api/v1/monitoring/breakers/table', json({ state: 'auto' })),
  'files-content': onFile(getContent),
  'files-content, deleted': onFile(getContent, 'deleted'),
  'files-content, quarantined': onFile(getContent, 'quarantined'),
  'files-content, no project': onFileAlone(getContent),
  'files-delete': onFile(deleteFile),
  'files-delete, deleted': onFile(deleteFile, 'deleted'),
  'files-delete, no project': onFileAlone(deleteFile),
  'files-get': onFile(getFile),
  'files-get, deleted': onFile(getFile, 'deleted'),
  'files-get, no project': onFileAlone(getFile),
  'files-list': onFile(listFiles),
  'files-list, deleted': onFile(listFiles, 'deleted'),
  'files-list, ?status=deleted': onFile(listDeleted, 'deleted'),
  'files-list, ?project_id=': async (asking) => {
    const { id, projectId } = await fileFor(asking);
    return showing(await asking.call(`/api/v1/files?project_id=${projectId}`), id);
  },
  'files-list, no project': onFileAlone(listFiles),
  'files-upload': (asking) => upload(asking, formOf(pngBytes(100))),
  'files-upload, project_id': async (asking) =>
    upload(asking, formOf(pngBytes(100), { fields: { project_id: await projectOfMember(asking) } })),
  'files-upload, ?project_id=': async (asking) =>
    upload(asking, formOf(pngBytes(100)), `?project_id=${await projectOfMember(asking)}`),
  'health-live': plain('/api/v1/health/live'),
  'health-live-root': plain('/health'),
  'health-live-rootz': plain('/healthz'),
  'health-live-v1': plain('/api/v1/health'),
  'health-ready': plain('/api/v1/health/ready'),
  'health-ready-api': plain('/api/health'),
  'health-ready-apiz': plain('/api/healthz'),
  'jobs-get': async ({ call, fixtures }) =>
    String((await call(`/api/v1/jobs/${await fixtures.failedJob()}`)).status),
  'jobs-list': async ({ call, fixtures }) => {
    const id = await fixtures.failedJob();
    return showing(await call('/api/v1/jobs'), id);
  },
  'jobs-retry': retryJob,
  metrics: plain('/metrics'),
  'metrics, in production': plain('/metrics'),
  'metrics-api': plain('/api/metrics'),
  'metrics-api, in production': plain('/api/metrics'),
  'report-get': onFile(runReport),
  'report-get, deleted': onFile(runReport, 'deleted'),
  'report-get, no project': onFileAlone(runReport),
  'report-get, unknown': plain(`/api/v1/reports/${randomUUID()}`),
  'reports-list': async ({ call }) => showing(await call('/api/v1/reports'), 'upload-activity'),
  'sas-batch': onFile(issueLinks),
  'sas-batch, deleted': onFile(issueLinks, 'deleted'),
  'sas-batch, no project': onFileAlone(issueLinks),
  'sas-issue': onFile(issueLink),
  'sas-issue, deleted': onFile(issueLink, 'deleted'),
  'sas-issue, no project': onFileAlone(issueLink),
  'security-audit': plain('/api/v1/monitoring/security-audit'),
  'test-alert': plain('/api/v1/monitoring/test-alert', { method: 'POST' }),
};
