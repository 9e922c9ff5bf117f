import type { Endpoint } from '../../../src/lib/http/endpoint.ts';

/** A function of the app: an endpoint, a timer or a queue. */
export interface DeclaredFunction {
  readonly name: string;
  readonly handle: unknown;
}

/** The functions among the exports of a module, alone or in lists. */
export function functionsIn(module: object): DeclaredFunction[] {
  return Object.values(module)
    .flat()
    .filter(
      (value): value is DeclaredFunction => typeof value === 'object' && value !== null && 'handle' in value,
    );
}

/** Narrows a function to one that is called by HTTP. */
export function isEndpoint(declared: DeclaredFunction): declared is Endpoint {
  return 'route' in declared;
}

const kebabCase = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const segmentForm = /^(?:\{[a-z][a-z0-9_]*\}|[a-z0-9._-]+)$/;
/** The host serves these itself and refuses functions below them. */
const reservedByHost = ['admin', 'runtime'];

/** Names that are not in kebab-case, or not the only ones; the host does not tell upper from lower case. */
export function faultsOfNames(functions: readonly DeclaredFunction[]): string[] {
  return functions.flatMap(({ name }, index) => {
    const earlier = functions
      .slice(0, index)
      .some((other) => other.name.toLowerCase() === name.toLowerCase());
    if (earlier) return [`${name}: another function has this name`];
    return kebabCase.test(name) ? [] : [`${name}: write the name in kebab-case`];
  });
}

/** What is wrong with single declarations. */
export function faultsOfEndpoints(endpoints: readonly Endpoint[]): string[] {
  return endpoints.flatMap((endpoint) => faultsOf(endpoint).map((fault) => `${endpoint.name}: ${fault}`));
}

function faultsOf(endpoint: Endpoint): string[] {
  const { method, route, summary, access, params, body, idempotent, responses } = endpoint;
  const segments = route.split('/');
  const statuses = Object.keys(responses).map(Number);
  const [inRoute, inSchema] = [parameterNames(route), schemaKeys(params)];
  const checks: readonly (readonly [fulfilled: boolean, otherwise: string])[] = [
    [
      segments.every((segment) => segmentForm.test(segment)),
      `write the route ${route} in lower case, without slash at its ends, with parameters as {name}`,
    ],
    [!reservedByHost.includes(segments[0] ?? ''), `the host keeps ${segments[0]}/ for itself`],
    [/^[A-Z].*[^.]$/.test(summary), 'write the summary as a phrase, with a capital and without full stop'],
    [statuses.length > 0, 'declare at least one response'],
    [statuses.every(isAnswer), 'declare answers only; problems are known from the catalogue'],
    [!(body && method === 'GET'), 'GET has no body'],
    [
      !(method === 'POST' && (statuses.includes(201) || statuses.includes(202))) || idempotent !== undefined,
      'it creates something: make it idempotent, or say why Idempotency-Key is ignored',
    ],
    [
      idempotent !== true || access.kind === 'scope',
      'a key belongs to a caller, so an idempotent endpoint needs a scope',
    ],
    [
      (idempotent === true) === String(endpoint.handle).includes('requestKey'),
      'pass requestKey on to where the effect happens, in an idempotent endpoint and only there',
    ],
    [
      inRoute.join() === inSchema.join(),
      `the route has the parameters [${inRoute}], their schema [${inSchema}]`,
    ],
  ];
  return checks.flatMap(([fulfilled, otherwise]) => (fulfilled ? [] : [otherwise]));
}

/** A readiness report is an answer, whatever it reports. */
function isAnswer(status: number): boolean {
  return (status >= 200 && status < 400) || status === 503;
}

function parameterNames(route: string): string[] {
  return [...route.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name).sort();
}

function schemaKeys(params: Endpoint['params']): string[] {
  return params && 'shape' in params ? Object.keys(params.shape as object).sort() : [];
}

/**
 * Functions that stand in one another's way. The host takes the first match in the order of function names, so two
 * templates must never match one path; the same template may repeat with other methods.
 */
export function clashesOfEndpoints(endpoints: readonly Endpoint[]): string[] {
  return endpoints.flatMap((endpoint, index) =>
    endpoints.slice(index + 1).flatMap((other) => {
      const clash = clashOf(endpoint, other);
      return clash ? [`${endpoint.name} and ${other.name}: ${clash}`] : [];
    }),
  );
}

function clashOf(a: Endpoint, b: Endpoint): string | undefined {
  if (a.route === b.route) return a.method === b.method ? `both serve ${a.method} ${a.route}` : undefined;
  return routesMeet(a.route, b.route)
    ? `${a.route} and ${b.route} may match one path; move one, or give both the same template`
    : undefined;
}

/** True when some path matches both templates; the host compares without regard to case. */
export function routesMeet(a: string, b: string): boolean {
  const [left, right] = [a.toLowerCase().split('/'), b.toLowerCase().split('/')];
  if (left.length !== right.length) return false;
  return left.every((segment, index) => {
    const other = right[index] ?? '';
    return segment === other || segment.includes('{') || other.includes('{');
  });
}
