import { LocalError } from '../../local/local-error.ts';
import { type Patience, poll } from './poll.ts';
import { type Answer, excerpt, request } from './request.ts';

/** A function app, as Azure Resource Manager sees it. */
export interface FunctionApp {
  /** Address of Azure Resource Manager, without a slash at its end. */
  readonly managementUri: string;
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly name: string;
  /** A token for Azure Resource Manager. */
  token(): Promise<string>;
}

interface References {
  readonly value?: readonly { readonly name?: string; readonly properties?: { readonly status?: string } }[];
}

/**
 * Has the platform look up the secret that a setting refers to. It does so by itself when settings change and every 24
 * hours, but not when the app restarts, and the first time it did so before the secret was made. Nothing is asked of an
 * app that has its secret.
 *
 * https://learn.microsoft.com/azure/app-service/app-service-key-vault-references#understand-rotation
 *
 * @throws LocalError when the setting still is a mere reference after `patience`, or the platform refuses
 */
export async function resolveReference(app: FunctionApp, setting: string, patience: Patience): Promise<void> {
  await poll(patience, async (signal) => {
    const listed = await ask(app, 'GET', '', signal);
    if ('waitFor' in listed) return listed;
    if (statusOf(listed, setting) === 'Resolved') return { done: undefined };
    const refreshed = await ask(app, 'POST', '/refresh', signal);
    if ('waitFor' in refreshed) return refreshed;
    const status = statusOf(refreshed, setting);
    if (status === 'Resolved') return { done: undefined };
    return { waitFor: `the platform to look up ${setting} (${status ?? 'it says nothing of it'})` };
  });
}

async function ask(app: FunctionApp, method: string, action: string, signal: AbortSignal) {
  const headers = { authorization: `Bearer ${await app.token()}` };
  const { managementUri, subscriptionId, resourceGroup, name } = app;
  const group = `${managementUri}/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}`;
  const references = `${group}/providers/Microsoft.Web/sites/${name}/config/configreferences/appsettings`;
  return request(method, `${references}${action}?api-version=2022-03-01`, { headers, signal });
}

function statusOf(answer: Answer, setting: string): string | undefined {
  if (answer.status >= 400 && answer.status < 500 && answer.status !== 429)
    throw new LocalError(`Azure Resource Manager refused: ${excerpt(answer)}`);
  const { value = [] } = (answer.json ?? {}) as References;
  return value.find(({ name }) => name === setting)?.properties?.status;
}
