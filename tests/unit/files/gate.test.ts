import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileTypes } from '../../../src/lib/files/file-types.ts';
import { admit, type Candidate, type Digest } from '../../../src/lib/files/gate.ts';

const rules = { maxBytes: 1_000, extensions: fileTypes.flatMap(({ extensions }) => extensions) };

const brand = (name: string, ...compatible: string[]) => {
  const box = Buffer.concat([
    Buffer.alloc(4),
    Buffer.from(`ftyp${name}\0\0\0\0${compatible.join('')}`, 'latin1'),
  ]);
  box.writeUInt32BE(box.length, 0);
  return Buffer.concat([box, Buffer.alloc(20)]);
};

/** The beginning of a real file of each type. */
const heads: Record<string, Buffer> = {
  'image/jpeg': Buffer.from([0xff, 0xd8, 0xff, 0xe1, 0, 0]),
  'image/png': Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0]),
  'image/webp': Buffer.from('RIFF\x10\0\0\0WEBPVP8 ', 'latin1'),
  'image/gif': Buffer.from('GIF89a\0'),
  'image/heic': brand('mif1', 'mif1', 'heic'),
  'image/avif': brand('avif', 'mif1'),
  'image/tiff': Buffer.from([0x4d, 0x4d, 0, 0x2a, 0]),
  'image/bmp': Buffer.from('BM\0\0'),
  'application/pdf': Buffer.from('%PDF-1.7\n'),
};

/** What a test says of a file; names and digests are claims that are read in their turn. */
type Facts = Partial<Omit<Candidate, 'name' | 'digest'>> & { name?: string; digest?: Digest };

const candidate = ({ name = 'photo.png', digest, ...facts }: Facts = {}): Candidate => ({
  name: () => name,
  declaredType: undefined,
  bytes: heads['image/png'] ?? Buffer.alloc(0),
  tooLarge: false,
  digest: () => digest,
  ...facts,
});

const types = fileTypes.flatMap((type) => type.extensions.map((extension) => [extension, type] as const));

describe('the gate', () => {
  it.each(types)(
    'admits .%s files by their first bytes, under their one name',
    (extension, { contentType, aliases }) => {
      const bytes = heads[contentType] ?? Buffer.alloc(0);

      for (const declaredType of [undefined, contentType, `${contentType}; charset=x`, ...aliases]) {
        const accepted = admit(
          candidate({ name: `A.${extension.toUpperCase()}`, bytes, declaredType }),
          rules,
        );

        expect(accepted).toMatchObject({ contentType, extension, name: `A.${extension.toUpperCase()}` });
        expect(accepted.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
      }
    },
  );

  it.each(types)('admits no other type as .%s', (extension, { contentType }) => {
    for (const [other, bytes] of Object.entries(heads)) {
      if (other === contentType) continue;
      expect(() => admit(candidate({ name: `a.${extension}`, bytes }), rules)).toThrow(
        expect.objectContaining({ code: 'unsupported_file_type' }),
      );
    }
  });

  it('takes only what is configured', () => {
    expect(() => admit(candidate(), { ...rules, extensions: ['jpg'] })).toThrow(
      expect.objectContaining({ code: 'unsupported_file_type' }),
    );
  });

  it('lets the first failure win, in the order of the contract', () => {
    const wrongDigest = { algorithm: 'sha256', value: Buffer.alloc(32) } as const;
    const jpeg = heads['image/jpeg'] ?? Buffer.alloc(0);
    const all = {
      bytes: Buffer.alloc(0),
      name: '',
      declaredType: 'text/html',
      tooLarge: true,
      digest: wrongDigest,
    };
    const steps: [Facts, string][] = [
      [all, 'empty_file'],
      [{ ...all, bytes: jpeg }, 'validation_failed'],
      [{ ...all, bytes: jpeg, name: 'a.exe' }, 'unsupported_file_type'],
      [{ ...all, bytes: jpeg, name: 'a.png' }, 'unsupported_file_type'],
      [{ ...all, bytes: jpeg, name: 'a.png', declaredType: undefined }, 'unsupported_file_type'],
      [{ ...all, bytes: jpeg, name: 'a.jpg', declaredType: undefined }, 'file_too_large'],
      [{ ...all, bytes: jpeg, name: 'a.jpg', declaredType: undefined, tooLarge: false }, 'digest_mismatch'],
    ];

    for (const [facts, code] of steps) {
      expect(() => admit(candidate(facts), rules)).toThrow(expect.objectContaining({ code }));
    }
  });

  it.each([
    '',
    ' ',
    '.',
    '..',
    'a/b.png',
    'a\\b.png',
    'a\0.png',
    'a\n.png',
    'a\u202egnp.exe.png',
    '\ud800.png',
    `${'a'.repeat(252)}.png`,
  ])('refuses the name %j', (name) => {
    expect(() => admit(candidate({ name }), rules)).toThrow(
      expect.objectContaining({
        code: 'validation_failed',
        errors: [expect.objectContaining({ path: 'name' })],
      }),
    );
  });

  it.each(['żółw.png', '写真 1.PNG', '👨‍👩‍👧.png', 'a"b.png', `${'a'.repeat(251)}.png`])(
    'takes the name %j',
    (name) => {
      expect(admit(candidate({ name }), rules).name).toBe(name);
    },
  );

  it('answers any bytes and any name by admission or a problem of the client', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1_100 }), fc.string({ unit: 'binary' }), (bytes, name) => {
        try {
          const accepted = admit(
            candidate({ bytes: Buffer.from(bytes), name, tooLarge: bytes.length > 1_000 }),
            rules,
          );
          expect(accepted.bytes.length).toBeLessThanOrEqual(rules.maxBytes);
        } catch (error) {
          expect((error as { status: number }).status).toBeGreaterThanOrEqual(400);
          expect((error as { status: number }).status).toBeLessThan(500);
        }
      }),
    );
  });
});
