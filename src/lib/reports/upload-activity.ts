import * as z from 'zod';
import { type FileStatus, visibleFiles } from '../database/index.ts';
import { defineReport } from './report.ts';
import { timeRangeParameters } from './time-range.ts';

/** Of these the deleted ones are visible to admins only. */
const passed: readonly FileStatus[] = ['available', 'quarantined', 'deleted'];

/** What was uploaded, by whom, and what has become of it. */
export const uploadActivity = defineReport({
  name: 'upload-activity',
  title: 'Upload activity',
  description:
    'Files that passed the checks of an upload within the range, with their present status. Deleted ones are shown to admins only.',
  grain: 'One row per upload that passed the checks.',
  columns: [
    { name: 'uploaded_at', type: 'timestamp' },
    { name: 'file_id', type: 'uuid' },
    { name: 'name', type: 'string' },
    { name: 'content_type', type: 'string' },
    { name: 'size', type: 'integer', unit: 'bytes' },
    { name: 'sha256', type: 'string' },
    { name: 'owner_id', type: 'string' },
    { name: 'project_id', type: 'uuid' },
    { name: 'status', type: 'string' },
  ],
  orderBy: ['uploaded_at', 'file_id'],
  parameters: z.strictObject(timeRangeParameters),
  formats: ['json', 'ndjson', 'csv'],
  scope: 'reports:read',
  query: (db, { caller, range }) =>
    visibleFiles(db, caller)
      .select([
        'uploaded_at',
        'id as file_id',
        'name',
        'content_type',
        'size',
        'sha256',
        'owner_id',
        'project_id',
        'status',
      ])
      .where('status', 'in', passed)
      .where('uploaded_at', '>=', new Date(range.fromMs))
      .where('uploaded_at', '<', new Date(range.toMs)),
});
