import { testAlertShape } from '../lib/alerts/index.ts';
import { endpoint, scope } from '../lib/http/index.ts';
import { runtime } from '../runtime.ts';

/** Sends a test message to wherever alerts go. */
export const testAlert = endpoint({
  name: 'test-alert',
  method: 'POST',
  route: 'api/v1/monitoring/test-alert',
  summary: 'Send a test alert through every channel',
  access: scope('admin'),
  responses: { 200: testAlertShape },
  handle: ({ signal }) => runtime().alerts().test(signal),
});
