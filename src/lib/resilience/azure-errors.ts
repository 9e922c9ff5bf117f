import { judgeStatus } from './http-errors.ts';
import { fieldOf, judgeNetworkCode, textOf } from './network-errors.ts';
import { AttemptTimeoutError } from './timeout.ts';
import type { Verdict } from './verdict.ts';

/** How the SDK's pipeline names a request without an answer, and an answer it could not read. */
const pipelineCodes: ReadonlyMap<string, Verdict> = new Map([
  ['REQUEST_SEND_ERROR', 'lost'],
  ['PARSE_ERROR', 'lost'],
]);

/** Reads an error of the Azure Storage SDKs by its shape, so that no SDK is imported here. */
export function judgeAzureError(error: unknown): Verdict {
  if (error instanceof AttemptTimeoutError) return 'lost';
  const status = fieldOf(error, 'statusCode');
  if (typeof status === 'number') return judgeStatus(status);
  const code = textOf(error, 'code');
  const network = judgeNetworkCode(code) ?? pipelineCodes.get(code);
  if (network) return network;
  // The caller's own abort never gets here: an answer cut off by the server looks the same.
  return textOf(error, 'name') === 'AbortError' ? 'lost' : 'foreign';
}
