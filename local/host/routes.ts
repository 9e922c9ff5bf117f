import type { IncomingMessage } from 'node:http';
import { LocalError } from '../local-error.ts';

/** The inline constraints of ASP.NET routes that are known here. */
const constraints: Readonly<Record<string, string>> = {
  '': '[^/]+',
  alpha: '[a-z]+',
  bool: 'true|false',
  guid: '[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}',
  int: '-?\\d+',
  long: '-?\\d+',
};

type Params = Readonly<Record<string, string>>;

/**
 * Compiles a route template: literals, `{name}`, `{name:int}`, `{name?}` and `{*rest}`.
 *
 * @returns the params of a decoded path, or `undefined` when the path is another
 * @throws {@link LocalError} for what ASP.NET knows and this does not
 */
export function compileRoute(template: string): (path: string) => Params | undefined {
  const names: string[] = [];
  const pattern = template
    .split('/')
    .filter(Boolean)
    .map((segment) => {
      const [, star, name, constraint = '', optional] =
        /^\{(\*?)(\w+)(?::(\w+))?(\?)?\}$/.exec(segment) ?? [];
      const allowed = constraints[constraint];
      if (!allowed || (!name && /[{}]/.test(segment)))
        throw new LocalError(`The local host does not know the route syntax of "${template}".`);
      if (!name) return `/${segment.replace(/[.*+?^$()|[\]\\]/g, '\\$&')}`;
      names.push(name);
      if (star) return '(?:/(.*))?';
      return optional ? `(?:/(${allowed}))?` : `/(${allowed})`;
    });
  const expression = new RegExp(`^${pattern.join('')}/?$`, 'i');
  return (path) => {
    const values = expression.exec(path)?.slice(1);
    return values && Object.fromEntries(names.flatMap((name, i) => (values[i] ? [[name, values[i]]] : [])));
  };
}

/** What a request asks for: `path` decoded for routing, `url` as it goes on to the worker. */
export interface Target {
  readonly path: string;
  readonly url: string;
  readonly search: URLSearchParams;
}

/** Reads the request line and the Host header; `undefined` when Kestrel would answer 400. */
export function readTarget(request: IncomingMessage): Target | undefined {
  const hosts = request.headersDistinct['host'] ?? [];
  const validHost = /^(?:\[[\da-f:.]+\]|[\w!$&'().~-]+)(?::\d+)?$/i;
  const raw = (request.url ?? '').replace(/^https?:\/\/[^/?]*/i, '').replaceAll('\\', '%5C');
  const [rawPath = ''] = raw.split('?', 1);
  if (hosts.length !== 1 || !validHost.test(hosts[0] ?? '') || !raw.startsWith('/') || /%00/.test(rawPath))
    return undefined;
  // Resolves dot segments, also encoded ones, as Kestrel does before it looks for a route.
  const { pathname } = new URL(`http://host${rawPath}`);
  const query = raw.slice(rawPath.length);
  // An encoded slash stays encoded: it does not divide segments.
  const path = pathname.split(/%2f/i).map(decode).join('%2F');
  return { path, url: pathname + query, search: new URLSearchParams(query) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
