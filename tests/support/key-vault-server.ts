import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { type Answer, type MisbehavingServer, startMisbehavingServer } from './misbehaving-server.ts';
import type { SelfSigned } from './self-signed.ts';

/** A vault, as its REST API shows it: https://learn.microsoft.com/rest/api/keyvault/secrets/operation-groups */
export interface KeyVaultServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: MisbehavingServer['requests'];
  /** Adds a version, by default one that was made an hour ago; returns its id. */
  add(name: string, value: string, ageMinutes?: number): string;
  disable(name: string, version: string): void;
  enable(name: string, version: string): void;
  /** Behaves otherwise from now on; without an answer, as a vault does again. */
  behave(answer?: Answer): void;
}

interface Version {
  readonly id: string;
  readonly value: string;
  readonly created: number;
  updated: number;
  enabled: boolean;
}

/** So few that lists have several pages. */
const versionsPerPage = 2;
const resource = 'https://vault.azure.net';
const challenge = `Bearer authorization="https://login.microsoftonline.com/11111111-1111-1111-1111-111111111111", resource="${resource}"`;

/** Starts a vault with a certificate that clients have to trust. */
export async function startKeyVaultServer(certificate: SelfSigned): Promise<KeyVaultServer> {
  const secrets = new Map<string, Version[]>();
  const asVault: Answer = (request, response) => {
    if (audienceOf(request.headers.authorization) !== resource) {
      response.setHeader('www-authenticate', challenge);
      return refuse(response, 401, 'Unauthorized', 'AKV10000: Request is missing a Bearer or PoP token.');
    }
    const url = new URL(request.url ?? '', server.origin);
    const [, , name = '', version = ''] = url.pathname.split('/');
    if (!url.searchParams.has('api-version')) return refuse(response, 400, 'BadParameter', 'api-version');
    const versions = secrets.get(name) ?? [];
    if (version === 'versions') return list(response, url, versions);
    const found = versions.find(({ id }) => id === version);
    if (!found)
      return refuse(response, 404, 'SecretNotFound', `A secret with (name/id) ${name} was not found`);
    if (!found.enabled)
      return refuse(response, 403, 'Forbidden', 'Operation get is not allowed on a disabled secret.');
    send(response, 200, { value: found.value, ...described(name, found) });
  };
  const described = (name: string, { id, enabled, created, updated }: Version) => ({
    id: `${server.origin}/secrets/${name}/${id}`,
    attributes: { enabled, created, updated, recoveryLevel: 'Recoverable+Purgeable' },
  });
  const list = (response: ServerResponse, url: URL, versions: readonly Version[]) => {
    const name = url.pathname.split('/')[2] ?? '';
    const skip = Number(url.searchParams.get('$skiptoken') ?? 0);
    const next = skip + versionsPerPage;
    url.searchParams.set('$skiptoken', String(next));
    send(response, 200, {
      value: versions.slice(skip, next).map((version) => described(name, version)),
      nextLink: next < versions.length ? url.href : null,
    });
  };
  const setEnabled = (name: string, version: string, enabled: boolean) => {
    const found = secrets.get(name)?.find(({ id }) => id === version);
    if (!found) throw new Error(`the vault has no version ${version} of ${name}`);
    Object.assign(found, { enabled, updated: Math.floor(Date.now() / 1000) });
  };
  let current = asVault;
  const server = await startMisbehavingServer((...call) => current(...call), certificate);
  return {
    url: server.origin,
    requests: server.requests,
    add(name, value, ageMinutes = 60) {
      const id = randomUUID().replaceAll('-', '');
      const created = Math.floor(Date.now() / 1000) - ageMinutes * 60;
      secrets.set(name, [
        ...(secrets.get(name) ?? []),
        { id, value, created, updated: created, enabled: true },
      ]);
      return id;
    },
    disable: (name, version) => setEnabled(name, version, false),
    enable: (name, version) => setEnabled(name, version, true),
    behave(answer = asVault) {
      current = answer;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Answers as the vault does to who may not read it. */
export const refuseCaller: Answer = (_request, response) =>
  refuse(response, 403, 'Forbidden', 'Caller is not authorized to perform action on resource.');

function audienceOf(authorization = ''): unknown {
  const [, claims = ''] = authorization.replace(/^Bearer /, '').split('.');
  return claims === '' ? undefined : JSON.parse(Buffer.from(claims, 'base64url').toString()).aud;
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  send(response, status, { error: { code, message } });
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
