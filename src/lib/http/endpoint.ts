import type { IncomingMessage } from 'node:http';
import type * as z from 'zod';
import type { Caller, Scope } from '../security/index.ts';

/** Who may call: anybody, callers with any credential (`authenticated`) or with a scope, or (`scrape`) scrapers: anybody outside production, else by token or scope. */
export type Access =
  | { readonly kind: 'public' }
  | { readonly kind: 'authenticated' }
  | { readonly kind: 'scope'; readonly scope: Scope }
  | { readonly kind: 'scrape'; readonly scope: Scope };

export const anybody: { readonly kind: 'public' } = { kind: 'public' };

/** Access for everybody who proves who they are, whatever their scopes. */
export const authenticated: { readonly kind: 'authenticated' } = { kind: 'authenticated' };

/** Access for callers who hold the scope. */
export function scope<S extends Scope>(name: S): { readonly kind: 'scope'; readonly scope: S } {
  return { kind: 'scope', scope: name };
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

type Schema = z.ZodType | undefined;
type Output<S> = S extends z.ZodType ? z.output<S> : undefined;

/** The key of a request that its client may send again: its own among those of one caller for one route. */
export interface RequestKey {
  readonly caller: string;
  /** Method and template, for example `POST /api/v1/uploads`. */
  readonly route: string;
  /** As it was sent, quotes included where there are any. */
  readonly key: string;
}

/** What a handler is given: everything is checked against the declaration. */
export interface EndpointRequest<A extends Access, P extends Schema, Q extends Schema, B extends Schema> {
  /** `undefined` for endpoints that are open to anybody. */
  readonly caller: A extends { kind: 'scope' | 'authenticated' } ? Caller : undefined;
  readonly params: Output<P>;
  readonly query: Output<Q>;
  readonly body: Output<B>;
  /** Under which the client may send the request again; only where the endpoint is `idempotent`, and the client sent one. */
  readonly requestKey: RequestKey | undefined;
  /** The message on the wire: headers, and the body where the declaration has no schema for it. */
  readonly raw: IncomingMessage;
  /** Aborts when the deadline is over or the client has gone. */
  readonly signal: AbortSignal;
}

/**
 * The declaration of an endpoint. Registration, authentication, validation, deadline, logs, metrics, headers and
 * problems follow from it.
 */
export interface EndpointDeclaration<A extends Access, P extends Schema, Q extends Schema, B extends Schema> {
  readonly name: string;
  readonly method: Method;
  /** Full route template without leading slash; parameters as `{name}`, one a segment. */
  readonly route: string;
  readonly summary: string;
  readonly access: A;
  /** Left out: the limit of callers, or of addresses where nobody has to say who they are. What stores bytes is an upload. */
  readonly limit?: 'uploads' | 'none';
  /** It needs nothing that is closed at the end, and tells of the end. Others answer 503 while the process stops. */
  readonly answersWhileStopping?: boolean;
  readonly params?: P;
  /** Left out: no query parameter is accepted. */
  readonly query?: Q;
  /** Left out: the handler reads the body from `raw`, if it wants one. */
  readonly body?: B;
  /**
   * Whether `Idempotency-Key` is heeded: the handler passes `requestKey` on to where the effect happens. What creates
   * something either does, or says why it ignores the key.
   */
  readonly idempotent?: true | { readonly ignored: string };
  /** Schema of the JSON body by status; `undefined` for answers that are not JSON. The first is that of a plain value. */
  readonly responses: Readonly<Record<number, z.ZodType | undefined>>;
  handle(request: EndpointRequest<A, P, Q, B>): unknown;
}

/** A declared endpoint, its types forgotten: what the edge works with. */
export type Endpoint = EndpointDeclaration<Access, Schema, Schema, Schema>;

/** Declares an endpoint; does nothing else, so that importing a function file has no effect. */
export function endpoint<
  A extends Access,
  P extends Schema = undefined,
  Q extends Schema = undefined,
  B extends Schema = undefined,
>(declaration: EndpointDeclaration<A, P, Q, B>): Endpoint {
  // The edge only ever passes what the declaration's own schemas produced.
  return declaration as unknown as Endpoint;
}
