import * as z from 'zod';
import { endpoint, scope } from '../lib/http/index.ts';
import { runtime } from '../runtime.ts';

/** Runs a report and streams it. */
export const reportGet = endpoint({
  name: 'report-get',
  method: 'GET',
  route: 'api/v1/reports/{name}',
  summary: 'Run a report',
  access: scope('reports:read'),
  params: z.object({ name: z.string() }),
  // Each report has parameters of its own, which it checks itself.
  query: z.record(z.string(), z.string()),
  responses: { 200: undefined },
  handle: ({ caller, params, query, raw, signal }) =>
    runtime().reports().run(caller, params.name, query, raw.headers.accept, signal),
});
