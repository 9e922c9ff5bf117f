import fc from 'fast-check';

const characters = fc.oneof(
  fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 1 }),
  fc.constantFrom(
    '\0',
    '\n',
    '\r\n',
    ' ',
    '\u00a0',
    '\u200b',
    '\ufeff',
    'ß',
    'İ',
    '＿',
    '／',
    '💥',
    '%00',
    "'",
    '"',
    '\\',
  ),
);

/** Wrong in ways that a parser might forgive: nearly the text, the text in another coding, or nothing like it. */
export function hostileTexts(valid: string): fc.Arbitrary<string> {
  const place = fc.nat(valid.length);
  const piece = fc.tuple(place, fc.integer({ min: 1, max: 8 }));
  const replaced = fc
    .tuple(piece, fc.oneof(characters, fc.string({ maxLength: 8 })))
    .map(([[at, count], text]) => valid.slice(0, at) + text + valid.slice(at + count));
  const inserted = fc
    .tuple(place, characters)
    .map(([at, text]) => valid.slice(0, at) + text + valid.slice(at));
  const cut = fc.tuple(place, place).map(([from, to]) => valid.slice(Math.min(from, to), Math.max(from, to)));
  const otherCase = place.map((at) => {
    const character = valid.charAt(at);
    const other = character === character.toLowerCase() ? character.toUpperCase() : character.toLowerCase();
    return valid.slice(0, at) + other + valid.slice(at + 1);
  });
  const recoded = fc.constantFrom(
    encodeURIComponent(valid).replaceAll('_', '%5F'),
    Buffer.from(valid).toString('base64'),
    Buffer.from(valid).toString('hex'),
    JSON.stringify(valid),
    valid.toUpperCase(),
    valid.toLowerCase(),
    [...valid].reverse().join(''),
    ...['=', '==', '.', ',', ';', ' ', '\t', '\n', '\0'].flatMap((edge) => [
      `${valid}${edge}`,
      `${edge}${valid}`,
    ]),
    ...['', ',', ', ', ' ', ';', '\n'].map((between) => `${valid}${between}${valid}`),
    `${valid}${'A'.repeat(100_000)}`,
  );
  const unlike = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.base64String({ maxLength: 400 }),
    fc.json(),
    fc.constantFrom(
      '',
      'null',
      'undefined',
      'true',
      '0',
      '{}',
      '[]',
      '__proto__',
      'constructor',
      '../../etc/passwd',
    ),
  );
  return fc.oneof(replaced, inserted, cut, otherCase, recoded, unlike).filter((text) => text !== valid);
}
