import { randomUUID } from 'node:crypto';
import { type Answer, type MisbehavingServer, startMisbehavingServer } from './misbehaving-server.ts';

/** A managed identity as App Service and Functions offer it to the app, by HTTP on the same machine. */
export interface IdentityEndpoint extends AsyncDisposable {
  /** By which `@azure/identity` finds it. A process keeps to the first one it has found. */
  readonly environment: Readonly<Record<string, string>>;
  /** What was asked so far. */
  readonly requests: MisbehavingServer['requests'];
  /** Behaves otherwise from now on. */
  behave(answer: Answer): void;
}

/** Like none that anybody would write elsewhere. */
const header = randomUUID();
const tenant = '11111111-1111-1111-1111-111111111111';
const principal = '22222222-2222-2222-2222-222222222222';

/** Starts the endpoint; it gives tokens that live for a day. */
export async function startIdentityEndpoint(): Promise<IdentityEndpoint> {
  let current = giveToken();
  const server = await startMisbehavingServer((...call) => current(...call));
  return {
    environment: {
      IDENTITY_ENDPOINT: `${server.origin}/msi/token`,
      IDENTITY_HEADER: header,
      AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential',
    },
    requests: server.requests,
    behave(answer) {
      current = answer;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Answers with a token for what is asked for. Azurite checks its claims, but nobody signs it. */
export function giveToken(lifeSeconds = 86_400): Answer {
  return (request, response) => {
    if (request.headers['x-identity-header'] !== header)
      return refuseToken(401, 'no such header')(request, response, 0);
    const resource = new URL(request.url ?? '', 'http://localhost').searchParams.get('resource') ?? '';
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      aud: resource,
      iss: `https://sts.windows.net/${tenant}/`,
      iat: now,
      nbf: now - 60,
      exp: now + lifeSeconds,
      oid: principal,
      tid: tenant,
    };
    const token = `${encode({ alg: 'none', typ: 'JWT' })}.${encode(claims)}.`;
    const body = { access_token: token, expires_on: String(claims.exp), resource, token_type: 'Bearer' };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
}

/** Answers as the endpoint does when it gives none. */
export function refuseToken(statusCode: number, message: string): Answer {
  return (_request, response) => {
    const body = { statusCode, message, correlationId: '33333333-3333-3333-3333-333333333333' };
    response.writeHead(statusCode, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
