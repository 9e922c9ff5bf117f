import { lazy } from '../core/index.ts';
import type { CheckToken, TokenRules } from './verify-token.ts';

/** Tokens with many groups have 2 KB; longer ones are not taken apart. */
const maxTokenLength = 8_192;
/** Header, claims and signature (RFC 7515 §3.1). An encrypted token has five parts, an unsigned one nothing in the third. */
const signedForm = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** Makes the check of bearer tokens (JWT, RFC 7519). All that it takes is loaded with the first text that looks like one. */
export function createTokenCheck(rules: TokenRules): CheckToken {
  const verifier = lazy(async () => (await import('./verify-token.ts')).createVerifier(rules));
  return async (text, signal) => {
    if (text.length > maxTokenLength || !signedForm.test(text)) return { refused: 'form' };
    const verify = await verifier();
    const found = await verify(text, signal);
    return 'refused' in found || hasOneText(text) ? found : { refused: 'signature in another writing' };
  };
}

/** Decoding lets bits of the last character go by, so that one signature would have several texts. */
function hasOneText(token: string): boolean {
  const signature = token.slice(token.lastIndexOf('.') + 1);
  return Buffer.from(signature, 'base64url').toString('base64url') === signature;
}
