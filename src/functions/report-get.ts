import * as z from 'zod';
import { endpoint, plainText, scope, textsByName } from '../lib/http/index.ts';
import { runtime } from '../runtime.ts';

/** Runs a report and streams it. */
export const reportGet = endpoint({
  name: 'report-get',
  method: 'GET',
  route: 'api/v1/reports/{name}',
  summary: 'Run a report',
  access: scope('reports:read'),
  params: z.strictObject({ name: plainText(1, 100) }),
  // Each report has parameters of its own, which it checks itself.
  query: textsByName(plainText(1, 64), plainText(0, 1_000), 32),
  responses: { 200: undefined },
  handle: ({ caller, params, query, raw, signal }) =>
    runtime().reports().run(caller, params.name, query, raw.headers.accept, signal),
});
