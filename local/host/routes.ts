import type { IncomingMessage } from 'node:http';
import { unescape as decode } from 'node:querystring';
import { LocalError } from '../local-error.ts';
import type { Host } from './worker-process.ts';

export type Match = NonNullable<ReturnType<ReturnType<typeof createRouter>>>;
export type Target = Exclude<ReturnType<typeof readTarget>, number>;

/** Compiles a route of literals, `{name}` and `{*rest}`; throws a {@link LocalError} for what else there is. */
export function compileRoute(route: string): RegExp {
  const pattern = route
    .split('/')
    .filter(Boolean)
    .map((segment) => {
      const [, star, name] = /^\{(\*?)([a-z_]\w*)\}$/i.exec(segment) ?? [];
      if (name) return star ? `(?:/(?<${name}>.*))?` : `/(?<${name}>[^/]+)`;
      if (/[{}]/.test(segment))
        throw new LocalError(`The local host does not know the syntax of "${route}".`);
      return `/${segment.replace(/[.*+?^$()|[\]\\]/g, '\\$&')}`;
    });
  return new RegExp(`^${pattern.join('')}/?$`, 'i');
}

/** The first function in the order of names wins, however general its route: the host knows no precedence. */
export function createRouter({ functions, settings }: Pick<Host, 'functions' | 'settings'>) {
  const byName = functions.toSorted((a, b) => (a.name.toUpperCase() < b.name.toUpperCase() ? -1 : 1));
  const routes = byName.flatMap((fn) => {
    const { type, route = fn.name, methods = [] } = fn.binding;
    return type === 'httpTrigger'
      ? { fn, methods, pattern: compileRoute(`${settings.routePrefix}/${route}`) }
      : [];
  });
  return (method: string, path: string) => {
    const allowed = routes.filter(({ methods }) => methods.length === 0 || methods.includes(method));
    const found = allowed.find(({ pattern }) => pattern.test(path));
    return found && { fn: found.fn, params: { ...found.pattern.exec(path)?.groups } };
  };
}

/** Reads the request line and the Host header; a status where Kestrel would refuse the request (KestrelServerLimits). */
export function readTarget({ method, url = '', headersDistinct, rawHeaders }: IncomingMessage) {
  if (`${method} ${url} HTTP/1.1`.length > 8190) return 414;
  if (rawHeaders.length > 200 || rawHeaders.join('\r\n').length > 32_768) return 431;
  const [host = '', ...others] = headersDistinct['host'] ?? [];
  const isHost = others.length === 0 && /^(?:\[[\da-f:.]+\]|[\w!$&'().~-]+)(?::\d+)?$/i.test(host);
  const [rawPath = ''] = url.split('?', 1);
  if (!isHost || !rawPath.startsWith('/') || rawPath.includes('%00')) return 400;
  // Resolves dot segments, also encoded ones, as Kestrel does before it looks for a route.
  const { pathname } = new URL(`http://host${rawPath.replaceAll('\\', '%5C')}`);
  const query = url.slice(rawPath.length);
  const path = pathname.split(/%2f/i).map(decode).join('%2F'); // An encoded slash does not divide segments.
  return { path, url: pathname + query, search: new URLSearchParams(query) };
}
