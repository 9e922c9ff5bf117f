import type { Planted } from './kinds.ts';

/** So much of a secret in a row is no accident; what is searched is looked at in steps, so three characters more are found for sure. */
const tellingLength = 12;
const step = 4;

/** Ways to write a secret down again. In base64 it depends on what stands in front. */
const codings: readonly ((core: string) => string)[] = [
  (core) => core,
  (core) => [...Buffer.from(core)].map((byte) => `%${byte.toString(16)}`).join(''),
  (core) => Buffer.from(core).toString('hex'),
  ...[0, 1, 2].map((before) => (core: string) => {
    const written = Buffer.from(`${'-'.repeat(before)}${core}`).toString('base64url');
    return written.slice(4, -4);
  }),
];

/** Where secrets show, as `<kind> in <place>: …`, the first place of each; case does not count. */
export function leaks(planted: readonly Planted[], places: Readonly<Record<string, string>>): string[] {
  const kindOf = new Map<string, string>();
  for (const { kind, core } of planted)
    for (const code of codings) for (const part of parts(code(core).toLowerCase())) kindOf.set(part, kind);
  return Object.entries(places).flatMap(([place, text]) => {
    const found = new Map<string, string>();
    const lower = text.toLowerCase();
    for (let at = 0; at + tellingLength <= lower.length; at += step) {
      const kind = kindOf.get(lower.slice(at, at + tellingLength));
      if (kind !== undefined && !found.has(kind))
        found.set(kind, `${kind} in ${place}: ${text.slice(Math.max(0, at - 160), at + 60)}`);
    }
    return [...found.values()];
  });
}

function parts(text: string): string[] {
  const count = Math.max(0, text.length - tellingLength + 1);
  return Array.from({ length: count }, (_, at) => text.slice(at, at + tellingLength));
}
