import type { IncomingMessage, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { endWith } from './forward.ts';
import type { FunctionInfo } from './protocol.ts';
import type { Trigger } from './trigger.ts';

/** The part of the host's admin API that runs functions by hand and tells how the host is. */
export function createAdmin(
  functions: readonly FunctionInfo[],
  triggers: ReadonlyMap<string, Trigger>,
  isDisabled: (name: string) => boolean,
): (request: IncomingMessage, response: ServerResponse, path: string) => Promise<void> {
  const describe = ({ name, bindings }: FunctionInfo) => ({
    name,
    config: { bindings: Object.entries(bindings).map(([key, binding]) => ({ ...binding, name: key })) },
    isDisabled: isDisabled(name),
  });
  return async (request, response, path) => {
    const answer = (value: unknown) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    };
    const [, area, name] = /^\/admin\/(functions|host)(?:\/([^/]+))?\/?$/i.exec(path.toLowerCase()) ?? [];
    if (area === 'host' && name === 'ping') return endWith(response, 200);
    if (area === 'host' && name === 'status')
      return answer({
        id: 'local',
        state: 'Running',
        version: '4.0.0-local',
        processUptime: Math.round(process.uptime() * 1000),
      });
    if (area === 'functions' && !name) return answer(functions.map(describe));
    const fn = area === 'functions' && functions.find((one) => one.name.toLowerCase() === name);
    if (!fn) return endWith(response, 404);
    if (request.method !== 'POST') return answer(describe(fn));
    if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) return endWith(response, 415);
    const body = await json(request).catch(() => undefined);
    if (typeof body !== 'object' || body === null || !('input' in body) || typeof body.input !== 'string')
      return endWith(response, 400);
    const trigger = triggers.get(fn.name);
    if (!trigger) return endWith(response, 400);
    // Its failure is logged like that of any run.
    trigger.runNow(body.input).catch(() => undefined);
    return endWith(response, 202);
  };
}
