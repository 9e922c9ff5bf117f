import { type ProvenIdentity, type Refusal, readIdentity } from './claims.ts';

const maxHeaderLength = 16_384;
const base64 = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * Under which types claims come, by what we call them: the names of the provider's tokens, or the longer ones that the front end
 * gives them. Source: learn.microsoft.com, "Work with user identities in Azure App Service authentication".
 */
const subjectTypes = [
  'sub',
  // The same as `sub`: whoever also comes with a token is the same caller.
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier',
  'oid',
];
const scopeTypes = ['scp', 'http://schemas.microsoft.com/identity/claims/scope'];
const roleTypes = ['roles', 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role'];

/** How Microsoft Entra ID is called here; its users are those of its tokens. */
const entra = 'aad';
const providerName = /^[\w-]{1,64}$/;

interface Claim {
  readonly typ: string;
  readonly val: string;
}

interface Principal {
  /** Where they have signed in. */
  readonly provider: string;
  readonly claims: readonly Claim[];
}

/**
 * Reads `x-ms-client-principal`, by which App Service Authentication tells who has signed in there. It proves nothing by itself:
 * ask only where that front end stands before the app and takes away what clients send.
 *
 * @param adminRole - who has it among the roles may do everything
 */
export function readClientPrincipal(text: string, adminRole: string): ProvenIdentity | Refusal {
  const principal = readPrincipal(text);
  if (!principal) return { refused: 'form' };
  const { provider, claims } = principal;
  const valuesOf = (types: readonly string[]) =>
    claims.filter(({ typ }) => types.includes(typ)).map(({ val }) => val);
  const subjects = subjectTypes.map((type) => new Set(valuesOf([type])));
  const [sub, another] = subjects.find(({ size }) => size > 0) ?? [];
  // Two of one type would leave it to chance who that is.
  if (another !== undefined) return { refused: 'sub' };
  // Others number their users, and the same number is somebody else.
  const id = sub && provider !== entra ? `${provider}:${sub}` : sub;
  const scope = valuesOf(scopeTypes).join(' ');
  return readIdentity({ sub: id, scope, roles: valuesOf(roleTypes) }, adminRole);
}

function readPrincipal(text: string): Principal | undefined {
  if (text.length > maxHeaderLength || !base64.test(text)) return undefined;
  try {
    const bytes = Buffer.from(text, 'base64');
    const principal: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof principal !== 'object' || principal === null) return undefined;
    if (!('auth_typ' in principal && 'claims' in principal)) return undefined;
    const { auth_typ: provider, claims } = principal;
    if (typeof provider !== 'string' || !providerName.test(provider)) return undefined;
    return Array.isArray(claims) && claims.every(isClaim) ? { provider, claims } : undefined;
  } catch {
    return undefined;
  }
}

function isClaim(value: unknown): value is Claim {
  return (
    typeof value === 'object' &&
    value !== null &&
    'typ' in value &&
    typeof value.typ === 'string' &&
    'val' in value &&
    typeof value.val === 'string'
  );
}
