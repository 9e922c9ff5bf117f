import type { Planted } from './kinds.ts';

/** So much of a secret in a row is no accident, wherever it begins. */
const tellingLength = 16;
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

/** Where secrets show, as `<kind> in <place>: …`; case does not count. */
export function leaks(planted: readonly Planted[], places: Readonly<Record<string, string>>): string[] {
  return Object.entries(places).flatMap(([place, text]) => {
    const lower = text.toLowerCase();
    return planted.flatMap(({ kind, core }) => {
      const part = codings
        .flatMap((code) => parts(code(core).toLowerCase()))
        .find((one) => lower.includes(one));
      if (part === undefined) return [];
      const at = lower.indexOf(part);
      return [`${kind} in ${place}: ${text.slice(Math.max(0, at - 160), at + 60)}`];
    });
  });
}

function parts(text: string): string[] {
  const count = Math.max(1, Math.floor((text.length - tellingLength) / step) + 1);
  return Array.from({ length: count }, (_, index) => text.slice(index * step, index * step + tellingLength));
}
