import { codeOf, fieldOf, textOf } from './error-fields.ts';
import { judgeStatus } from './http-errors.ts';
import { judgeNetworkCode } from './network-errors.ts';
import { AttemptTimeoutError } from './timeout.ts';
import type { Verdict } from './verdict.ts';

/**
 * Words of the services that say more than their status; for all others the status decides. Most errors that look as if
 * they might pass (a container, table or queue that is being deleted, a lease, a copy under way) last longer than any
 * wait of ours, and leave the service well.
 *
 * Source: learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes, read November 2026.
 */
export const azureCodes: ReadonlyMap<string, Verdict> = new Map([
  // 500: within the permitted time, or within the service; it may have been carried out.
  ['InternalError', 'lost'],
  ['OperationTimedOut', 'lost'],
  // 503, also for ingress, egress or operations per second over the account's limit: throttled before anything was done.
  ['ServerBusy', 'refused'],
  // 409, but it passes: the account is on its way. Repeated, and as any 4xx not held against the service.
  ['AccountBeingCreated', 'clashed'],
]);

/** How the SDK's pipeline names a request without an answer, and an answer it could not read (`RestError.code`). */
export const pipelineCodes: ReadonlyMap<string, Verdict> = new Map([
  ['REQUEST_SEND_ERROR', 'lost'],
  ['PARSE_ERROR', 'lost'],
]);

/** Reads an error of the Azure Storage SDKs by its shape, so that no SDK is imported here. */
export function judgeAzureError(error: unknown): Verdict {
  if (error instanceof AttemptTimeoutError) return 'lost';
  const code = codeOf(error);
  const status = fieldOf(error, 'statusCode');
  if (typeof status === 'number') return azureCodes.get(code) ?? judgeStatus(status);
  const network = judgeNetworkCode(code) ?? pipelineCodes.get(code);
  if (network) return network;
  // The caller's own abort never gets here: an answer cut off by the server looks the same.
  return textOf(error, 'name') === 'AbortError' ? 'lost' : 'foreign';
}

const missingHouses = new Set(['ContainerNotFound', 'TableNotFound', 'QueueNotFound']);

/** True when the container, table or queue itself is missing, not only something in it: its first use makes it. */
export function isHouseMissing(error: unknown): boolean {
  return missingHouses.has(codeOf(error));
}
