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

interface Claim {
  readonly typ: string;
  readonly val: string;
}

/**
 * Reads `x-ms-client-principal`, by which App Service Authentication tells who has signed in there. It proves nothing by itself:
 * ask only where that front end stands before the app and takes away what clients send.
 *
 * @param adminRole - who has it among the roles may do everything
 */
export function readClientPrincipal(text: string, adminRole: string): ProvenIdentity | Refusal {
  const claims = readClaims(text);
  if (!claims) return { refused: 'form' };
  const valuesOf = (types: readonly string[]) =>
    claims.filter(({ typ }) => types.includes(typ)).map(({ val }) => val);
  const subjects = subjectTypes.map((type) => new Set(valuesOf([type])));
  const [sub, another] = subjects.find(({ size }) => size > 0) ?? [];
  // Two of one type would leave it to chance who that is.
  if (another !== undefined) return { refused: 'sub' };
  const scope = valuesOf(scopeTypes).join(' ');
  return readIdentity({ sub, scope, roles: valuesOf(roleTypes) }, adminRole);
}

function readClaims(text: string): readonly Claim[] | undefined {
  if (text.length > maxHeaderLength || !base64.test(text)) return undefined;
  try {
    const bytes = Buffer.from(text, 'base64');
    const principal: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof principal !== 'object' || principal === null || !('claims' in principal)) return undefined;
    const { claims } = principal;
    return Array.isArray(claims) && claims.every(isClaim) ? claims : undefined;
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
