/** Calls the running app, and storage by the links it gives. */
export interface Client {
  /** @throws when the answer has another status than `status`; the message holds the problem */
  call(status: number, path: string, init?: RequestInit): Promise<Response>;
  /** As `call`, for answers in JSON. */
  json<T>(status: number, path: string, init?: RequestInit): Promise<T>;
}

/** A step that hangs is a failure too. */
const timeoutMs = 60_000;

/** Makes a client that sends the API key. */
export function createClient(baseUrl: string, apiKey: string): Client {
  const call: Client['call'] = async (status, path, init = {}) => {
    const headers = new Headers(init.headers);
    headers.set('x-api-key', apiKey);
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(`${baseUrl}${path}`, { ...init, headers, signal, redirect: 'manual' });
    if (response.status === status) return response;
    const method = init.method ?? 'GET';
    throw new Error(`${method} ${path}: ${response.status} instead of ${status}\n${await response.text()}`);
  };
  return { call, json: async (status, path, init) => (await call(status, path, init)).json() as never };
}

/** Sends JSON. */
export function post(body: unknown): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
