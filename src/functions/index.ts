import type { Endpoint } from '../lib/http/index.ts';
import { apiKeysCreate } from './api-keys-create.ts';
import { apiKeysGet } from './api-keys-get.ts';
import { apiKeysList } from './api-keys-list.ts';
import { apiKeysRevoke } from './api-keys-revoke.ts';
import { auditList } from './audit-list.ts';
import { azureCacheStats } from './azure-cache-stats.ts';
import { backupNightly } from './backup-nightly.ts';
import { backupsCreate } from './backups-create.ts';
import { backupsDownload } from './backups-download.ts';
import { backupsGet } from './backups-get.ts';
import { backupsList } from './backups-list.ts';
import { breakersList } from './breakers-list.ts';
import { breakersSet } from './breakers-set.ts';
import type { QueueFunction, TimerFunction } from './declarations.ts';
import { filesContent } from './files-content.ts';
import { filesDelete } from './files-delete.ts';
import { filesGet } from './files-get.ts';
import { filesList } from './files-list.ts';
import { filesUpload } from './files-upload.ts';
import { healthLive } from './health-live.ts';
import { healthReady } from './health-ready.ts';
import { jobs } from './jobs.ts';
import { jobsGet } from './jobs-get.ts';
import { jobsList } from './jobs-list.ts';
import { jobsRetry } from './jobs-retry.ts';
import { maintenance } from './maintenance.ts';
import { me } from './me.ts';
import { metrics } from './metrics.ts';
import { projectMembersAdd } from './project-members-add.ts';
import { projectMembersRemove } from './project-members-remove.ts';
import { projectsCreate } from './projects-create.ts';
import { projectsGet } from './projects-get.ts';
import { projectsList } from './projects-list.ts';
import { reportGet } from './report-get.ts';
import { reportsList } from './reports-list.ts';
import { sasBatch } from './sas-batch.ts';
import { sasIssue } from './sas-issue.ts';
import { securityAudit } from './security-audit.ts';
import { testAlert } from './test-alert.ts';
import { usersErase } from './users-erase.ts';

/** Every HTTP function. What is not here is not served. */
export const endpoints: readonly Endpoint[] = [
  apiKeysCreate,
  apiKeysGet,
  apiKeysList,
  apiKeysRevoke,
  auditList,
  azureCacheStats,
  backupsCreate,
  backupsDownload,
  backupsGet,
  backupsList,
  breakersList,
  breakersSet,
  filesContent,
  filesDelete,
  filesGet,
  filesList,
  filesUpload,
  ...healthLive,
  ...healthReady,
  jobsGet,
  jobsList,
  jobsRetry,
  me,
  ...metrics,
  projectMembersAdd,
  projectMembersRemove,
  projectsCreate,
  projectsGet,
  projectsList,
  reportGet,
  reportsList,
  sasBatch,
  sasIssue,
  securityAudit,
  testAlert,
  usersErase,
];

export const timers: readonly TimerFunction[] = [backupNightly, maintenance];

export const queues: readonly QueueFunction[] = [jobs];
