/** Words that stand in secrets which somebody has made up, or copied from a document. None is shorter than six letters: chance makes shorter ones. */
const madeUp =
  /change[-_ ]?me|secret|passwo|example|default|development|placeholder|crown[-_ ]?safe|qwerty|letmein|replace|sample|postgres|welcome|your[-_ ]?(?:key|token)/i;

/** As `0123456` or `aaaaaaa`: a run this long comes about by chance once in 10^9 secrets. */
const longestInnocentRun = 6;

/**
 * Whether a secret looks made up instead of drawn: a well-known word in it, a run, a repetition, or too few and too uneven
 * characters for the bits it should hold. Nobody can prove the opposite.
 *
 * @param leastBits - what it has to hold at least, by the frequency of its characters. That says less than the truth for short
 *   texts: 64 random bits in hex count for about 50
 */
export function isWeakSecret(text: string, leastBits: number): boolean {
  return madeUp.test(text) || hasRun(text) || isRepetition(text) || estimatedBits(text) < leastBits;
}

function hasRun(text: string): boolean {
  const codes = Array.from(text, (character) => character.charCodeAt(0));
  for (const step of [0, 1, -1]) {
    let length = 1;
    for (const [index, code] of codes.entries()) {
      length = index > 0 && code - (codes[index - 1] ?? 0) === step ? length + 1 : 1;
      if (length > longestInnocentRun) return true;
    }
  }
  return false;
}

function isRepetition(text: string): boolean {
  for (let period = 1; period <= text.length / 2; period++) {
    if (text.startsWith(text.slice(period))) return true;
  }
  return false;
}

/** Shannon's entropy of the characters, times their number. */
function estimatedBits(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits += count * Math.log2(text.length / count);
  return bits;
}

/** What is not set is not weak. */
export function isWeak(secret: string | undefined, leastBits: number): boolean {
  return secret !== undefined && isWeakSecret(secret, leastBits);
}

/** The names for which it is so, or false for none. */
export function namesOf<Name extends string>(
  names: readonly Name[],
  holds: (name: Name) => boolean,
): string | false {
  return names.filter(holds).join(', ') || false;
}

/** How a secret is drawn. */
export const drawn = 'openssl rand -base64 32';
