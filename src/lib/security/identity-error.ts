/** Without a token nothing was asked: `identity_unavailable` may pass by itself, `identity_refused` has to be mended. */
type IdentityErrorCode = 'identity_unavailable' | 'identity_refused';

const messages: Readonly<Record<IdentityErrorCode, string>> = {
  identity_unavailable: 'The service that gives the app its tokens does not answer',
  identity_refused:
    "No identity gives the app a token. In Azure, assign the identity that AZURE_CLIENT_ID names to the app; elsewhere, sign in with 'az login'",
};

/** The app got no token. What the SDK has tried is its `cause`. */
export class IdentityError extends Error {
  override readonly name = 'IdentityError' as const;
  readonly code: IdentityErrorCode;

  constructor(code: IdentityErrorCode, cause?: unknown) {
    super(messages[code], { cause });
    this.code = code;
  }
}

export function isIdentityError(error: unknown): error is IdentityError {
  return error instanceof IdentityError;
}

/** Refusals that a later request may not get; the endpoint of virtual machines says 404 and 410 while it is being set up. */
const temporaryStatuses = [404, 408, 410, 429];

/** Reads what `@azure/identity` throws: the reason lies under several layers, and each kind of identity shapes it in its own way. */
export function toIdentityError(error: unknown): IdentityError {
  const isTemporary = [...causesOf(error)].some(({ status, statusCode = status, errorCode }) => {
    if (typeof statusCode !== 'number') return errorCode === 'network_error';
    return temporaryStatuses.includes(statusCode) || statusCode < 400 || statusCode >= 500;
  });
  return new IdentityError(isTemporary ? 'identity_unavailable' : 'identity_refused', error);
}

/** The fields by which the SDK and the library below it tell what has happened. */
interface Reason {
  readonly status?: unknown;
  readonly statusCode?: unknown;
  readonly errorCode?: unknown;
}

function* causesOf(error: unknown): Generator<Reason> {
  if (!(error instanceof Error)) return;
  yield error as Error & Reason;
  yield* causesOf(error.cause);
  if ('errors' in error && Array.isArray(error.errors)) for (const one of error.errors) yield* causesOf(one);
}
