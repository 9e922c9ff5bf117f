import type { IncomingMessage, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { ensureSecret, readSecret } from '../../../scripts/deploy/vault-secret.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { type Answer, startMisbehavingServer } from '../../support/misbehaving-server.ts';
import { shortPatience, soonInVain } from './patience.ts';

const value = 'a-value-that-must-not-show';

/** Answers as Key Vault does, by method and path. */
const secretBundle = { value, id: 'https://kv.vault.azure.net/secrets/secret-key/4387e9f3', attributes: {} };
const problem = (code: string, message: string, innererror?: string) => ({
  error: { code, message, ...(innererror && { innererror: { code: innererror } }) },
});
const notFound = problem(
  'SecretNotFound',
  'A secret with (name/id) secret-key was not found in this key vault.',
);
const noRole = problem(
  'Forbidden',
  'Caller is not authorized to perform action on resource.',
  'ForbiddenByRbac',
);
const deleted = problem(
  'Conflict',
  'Secret secret-key is currently in a deleted but recoverable state, and its name cannot be reused.',
  'ObjectIsDeletedButRecoverable',
);

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** A vault that keeps what is put into it; `first` may answer instead, by doing so. */
async function startVault(first: Answer = () => {}, stored?: string) {
  let secret = stored;
  const puts: unknown[] = [];
  const get = (response: ServerResponse) =>
    secret === undefined
      ? answer(response, 404, notFound)
      : answer(response, 200, { ...secretBundle, value: secret });
  const put = async (request: IncomingMessage, response: ServerResponse) => {
    const body = (await json(request)) as { value: string };
    puts.push(body);
    secret = body.value;
    get(response);
  };
  const server = await startMisbehavingServer((request, response, number) => {
    first(request, response, number);
    if (response.writableEnded) return;
    if (request.method === 'PUT') put(request, response).catch(() => response.destroy());
    else get(response);
  });
  return Object.assign(server, { puts, vault: { uri: server.origin, token: async () => 'the-token' } });
}

const make = () => value;

describe('making sure of a secret', () => {
  it('makes a missing one, once', async () => {
    await using server = await startVault();
    const patience = shortPatience();

    const first = await ensureSecret(server.vault, 'secret-key', make, patience);
    const second = await ensureSecret(server.vault, 'secret-key', () => 'another', patience);

    expect([first, second]).toEqual(['made', 'present']);
    expect(server.puts).toEqual([{ value }]);
    expect(server.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET /secrets/secret-key?api-version=7.4',
      'PUT /secrets/secret-key?api-version=7.4',
      'GET /secrets/secret-key?api-version=7.4',
    ]);
    expect(server.requests[1]?.headers).toMatchObject({
      authorization: 'Bearer the-token',
      'content-type': 'application/json',
    });
  });

  it('leaves one alone that is there', async () => {
    await using server = await startVault(undefined, 'older');

    const origin = await ensureSecret(server.vault, 'secret-key', make, shortPatience());

    expect(origin).toBe('present');
    expect(server.puts).toEqual([]);
  });

  it('waits for the role, which takes effect late, and says so once', async () => {
    await using server = await startVault((_, response, number) => {
      if (number <= 3) answer(response, 403, noRole);
    });
    const patience = shortPatience();

    const origin = await ensureSecret(server.vault, 'secret-key', make, patience);

    expect(origin).toBe('made');
    expect(patience.said).toEqual([
      expect.stringContaining('waiting for the role Key Vault Secrets Officer'),
    ]);
  });

  it('waits for the right to write as well, and then looks again before it writes', async () => {
    await using server = await startVault(({ method }, response, number) => {
      if (method === 'PUT' && number === 2) answer(response, 403, noRole);
      // Somebody else has made it in the meantime.
      if (number > 2) answer(response, 200, secretBundle);
    });

    const origin = await ensureSecret(server.vault, 'secret-key', make, shortPatience());

    expect(origin).toBe('present');
    expect(server.puts).toEqual([]);
  });

  it('brings a deleted one back', async () => {
    let recovered = false;
    await using server = await startVault(({ method, url }, response) => {
      if (method === 'PUT') return answer(response, 409, deleted);
      if (method !== 'POST')
        return recovered ? answer(response, 200, secretBundle) : answer(response, 404, notFound);
      expect(url).toBe('/deletedsecrets/secret-key/recover?api-version=7.4');
      recovered = true;
      answer(response, 200, secretBundle);
    });
    const patience = shortPatience();

    const origin = await ensureSecret(server.vault, 'secret-key', make, patience);

    expect(origin).toBe('recovered');
    expect(patience.said).toEqual(['waiting for the deleted secret secret-key to come back']);
  });

  it.each([429, 503])('waits while the vault answers %d', async (status) => {
    await using server = await startVault((_, response, number) => {
      if (number === 1) answer(response, status, problem('Throttled', 'Request was not processed'));
    });

    expect(await ensureSecret(server.vault, 'secret-key', make, shortPatience())).toBe('made');
  });

  it('finds what it wrote when the answer was lost', async () => {
    let puts = 0;
    await using server = await startVault(({ method, socket }, response) => {
      if (method === 'PUT') {
        puts += 1;
        socket.destroy();
        response.end();
      } else if (puts > 0) answer(response, 200, secretBundle);
    });
    const patience = shortPatience();

    const origin = await ensureSecret(server.vault, 'secret-key', make, patience);

    expect(origin).toBe('present');
    expect(puts).toBe(1);
    expect(patience.said).toEqual([expect.stringMatching(/^waiting for 127\.0\.0\.1:\d+ to answer \(.+\)$/)]);
  });

  it('gives up a request that gets no answer, and makes it again', async () => {
    await using server = await startMisbehavingServer((_, response, number) => {
      if (number > 1) answer(response, 200, secretBundle);
    });
    const clock = fakeClock();
    const patience = shortPatience({ clock, everyMs: 1000, forMs: 60_000 });

    const work = ensureSecret({ uri: server.origin, token: async () => 't' }, 'secret-key', make, patience);
    await expect.poll(() => server.requests.length).toBe(1);
    await clock.advance(30_000);
    await expect.poll(() => patience.said.length).toBe(1);
    await clock.advance(1000);

    expect(await work).toBe('present');
    expect(patience.said).toEqual([expect.stringContaining('nothing came in time')]);
    expect(clock.timers).toBe(0);
  });

  it('tells in vain what it waited for', async () => {
    await using server = await startVault((_, response) => answer(response, 403, noRole));

    const work = ensureSecret(server.vault, 'secret-key', make, shortPatience(soonInVain));

    await expect(work).rejects.toMatchObject({ name: 'LocalError' });
    await expect(work).rejects.toThrow(/^Waited .+ in vain for the role Key Vault Secrets Officer/);
  });

  it.each(['ForbiddenByFirewall', 'ForbiddenByConnection'])(
    'says what to do when the network is closed (%s)',
    async (code) => {
      const words =
        'Client address is not authorized and caller is not a trusted service.\r\nClient address: 192.0.2.7';
      await using server = await startVault((_, response) =>
        answer(response, 403, problem('Forbidden', words, code)),
      );

      const work = ensureSecret(server.vault, 'secret-key', make, shortPatience());

      await expect(work).rejects.toThrow('Client address: 192.0.2.7');
      await expect(work).rejects.toThrow('azd env set ALLOWED_IP_RANGES');
      expect(server.requests).toHaveLength(1);
    },
  );

  it.each([
    [401, problem('Unauthorized', 'AKV10032: Invalid issuer.')],
    [403, problem('Forbidden', 'Operation get is not allowed on a disabled secret.', 'SecretDisabled')],
    [302, undefined],
  ])('ends at once when the vault answers %d', async (status, body) => {
    await using server = await startVault((_, response) => answer(response, status, body));

    const work = ensureSecret(server.vault, 'secret-key', make, shortPatience());

    await expect(work).rejects.toThrow(`The vault refused: ${status}`);
    expect(server.requests).toHaveLength(1);
  });

  it('says nothing of the value, whatever happens', async () => {
    await using server = await startVault(({ method }, response) => {
      if (method === 'PUT') answer(response, 400, problem('BadParameter', 'The request is not valid'));
    });
    const patience = shortPatience();

    const error = await ensureSecret(server.vault, 'secret-key', make, patience).catch((caught) => caught);

    expect(`${error.message} ${patience.said.join()}`).toContain('400');
    expect(`${error.message} ${patience.said.join()}`).not.toContain(value);
  });
});

describe('reading a secret', () => {
  it('gives its value', async () => {
    await using server = await startVault(undefined, value);

    expect(await readSecret(server.vault, 'secret-key', shortPatience())).toBe(value);
  });

  it('tells that it is missing', async () => {
    await using server = await startVault();

    await expect(readSecret(server.vault, 'secret-key', shortPatience())).rejects.toThrow('SecretNotFound');
  });
});
