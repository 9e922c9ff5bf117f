import { describe, expect, it } from 'vitest';
import { resolveReference } from '../../../scripts/deploy/resolve-reference.ts';
import { startMisbehavingServer } from '../../support/misbehaving-server.ts';
import { shortPatience, soonInVain } from './patience.ts';

/** Azure Resource Manager with one app; `statuses` are told one after another, the last one for ever. */
async function startManager(...statuses: string[]) {
  const server = await startMisbehavingServer((_, response, number) => {
    const status = statuses[Math.min(number, statuses.length) - 1];
    const value = [{ name: 'SECRET_KEY', properties: { status, reference: '@Microsoft.KeyVault(…)' } }];
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ value }));
  });
  const app = {
    managementUri: server.origin,
    subscriptionId: 'sub',
    resourceGroup: 'rg-test',
    name: 'func-api',
    token: async () => 'the-token',
  };
  return Object.assign(server, { app });
}

const place = '/subscriptions/sub/resourceGroups/rg-test/providers/Microsoft.Web/sites/func-api';
const references = `${place}/config/configreferences/appsettings`;

describe('having the platform look up a secret', () => {
  it('asks nothing of an app that has it', async () => {
    await using manager = await startManager('Resolved');

    await resolveReference(manager.app, 'SECRET_KEY', shortPatience());

    expect(manager.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      `GET ${references}?api-version=2022-03-01`,
    ]);
    expect(manager.requests[0]?.headers.authorization).toBe('Bearer the-token');
  });

  it('asks until it has it, and tells what stood in the way', async () => {
    await using manager = await startManager(
      'SecretNotFound',
      'AccessToKeyVaultDenied',
      'SecretNotFound',
      'Resolved',
    );
    const patience = shortPatience();

    await resolveReference(manager.app, 'SECRET_KEY', patience);

    expect(manager.requests[1]).toMatchObject({
      method: 'POST',
      url: `${references}/refresh?api-version=2022-03-01`,
    });
    expect(patience.said).toEqual([
      'waiting for the platform to look up SECRET_KEY (AccessToKeyVaultDenied)',
    ]);
  });

  it('ends in vain when the platform tells nothing of the setting', async () => {
    await using manager = await startManager('Unknown');

    const work = resolveReference(manager.app, 'OTHER', shortPatience(soonInVain));

    await expect(work).rejects.toThrow('in vain for the platform to look up OTHER (it says nothing of it)');
  });

  it('ends at once when the platform refuses', async () => {
    await using manager = await startMisbehavingServer((_, response) => {
      response.writeHead(403).end('{"error":{"code":"AuthorizationFailed","message":"no"}}');
    });
    const app = { managementUri: manager.origin, subscriptionId: 's', resourceGroup: 'g', name: 'n' };

    const work = resolveReference({ ...app, token: async () => 't' }, 'SECRET_KEY', shortPatience());

    await expect(work).rejects.toThrow('Azure Resource Manager refused: 403');
    expect(manager.requests).toHaveLength(1);
  });
});
