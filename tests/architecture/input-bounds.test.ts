import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { endpoints } from '../../src/functions/index.ts';
import { metadataShape } from '../../src/lib/files/shapes.ts';
import { flagText, idShape, plainText, textsByName } from '../../src/lib/http/shapes.ts';
import { reports } from '../../src/lib/reports/catalogue.ts';
import { formatParameters } from '../../src/lib/reports/formats/formats.ts';
import { sasRequest } from '../../src/lib/sharing/shapes.ts';
import { unboundedIn } from './checks/input-bounds.ts';

/** Where a declaration leaves the bounds to somebody else, and to whom. */
const checkedElsewhere: Readonly<Record<string, string>> = {
  'sas-batch body.items[]: anything at all':
    'each item by itself with the schema of sas-issue: sasRequest, below',
};

describe('what a schema lets in', () => {
  it.each<[string, z.ZodType, string]>([
    ['a text of any length', z.string().regex(/^[a-z]+$/), 'in: a text of any length'],
    ['a pattern without ends', z.string().regex(/[a-z]{1,3}/), 'in: a text of any length'],
    ['a pattern with an end in one branch', z.string().regex(/^a$|b/), 'in: a text of any length'],
    ['controls', z.string().max(5), 'in: a text that may hold "\\u0000"'],
    [
      'a line break at the end',
      z
        .string()
        .max(50)
        .regex(/^[a-z]+\n?$/),
      'in: a text that may hold "aaaaaaaa\\n"',
    ],
    [
      'reversed text',
      z
        .string()
        .max(50)
        .regex(/^[^\p{Cc}\p{Cs}]*$/u),
      'in: a text that may hold "\u2028"',
    ],
    ['a check that nobody sees', z.string().refine((text) => text.length < 5), 'in: a text of any length'],
    ['a number without end', z.int().min(1), 'in: a number without both ends'],
    ['a number without beginning', z.number().max(1), 'in: a number without both ends'],
    ['a list without end', z.array(z.int().min(1).max(2)), 'in: a list of any length'],
    ['unbounded items', z.array(z.string().max(3)).max(2), 'in[]: a text that may hold "\\u0000"'],
    ['unknown fields', z.looseObject({ a: z.boolean() }), 'in: takes fields that it does not know'],
    ['fields that are dropped', z.object({ a: z.boolean() }), 'in: takes fields that it does not know'],
    [
      'unbounded fields',
      z.strictObject({ a: z.strictObject({ b: z.unknown() }) }),
      'in.a.b: anything at all',
    ],
    ['any number of names', z.record(idShape, z.boolean()), 'in: any number of fields'],
    [
      'names of any length',
      z.record(z.string(), z.boolean()).meta({ maxProperties: 2 }),
      'in.<name>: a text of any length',
    ],
    ['one bad option', z.union([z.boolean(), z.number()]).optional(), 'in: a number without both ends'],
  ])('is refused with %s', (_, schema, fault) => {
    expect(unboundedIn('in', schema)).toContain(fault);
  });

  it.each<[string, z.ZodType]>([
    ['a text', plainText(1, 5)],
    ['an id', idShape.optional()],
    ['a flag', flagText.default(false)],
    ['a few words', z.enum(['a', 'b'])],
    ['a date', z.iso.date()],
    ['an address', z.ipv4()],
    ['a number', z.int().min(0).max(9).nullable()],
    ['a list', z.array(idShape).max(3)],
    ['texts by name', textsByName(plainText(1, 2), plainText(0, 3), 4)],
    [
      'a transformed text',
      z
        .string()
        .regex(/^\d{1,9}$/)
        .transform(Number),
    ],
  ])('is accepted as %s', (_, schema) => {
    expect(unboundedIn('in', z.strictObject({ a: schema }))).toEqual([]);
  });
});

describe('what the endpoints take', () => {
  it('is bounded in size, count and range, and free of control characters', () => {
    const parts = endpoints.flatMap(({ name, params, query, body }) =>
      Object.entries({ params, query, body }).flatMap(([part, schema]) =>
        schema ? [[`${name} ${part}`, schema] as const] : [],
      ),
    );

    const faults = parts.flatMap(([path, schema]) => unboundedIn(path, schema));

    expect(faults).toEqual(Object.keys(checkedElsewhere));
    expect(parts.length).toBeGreaterThan(15);
  });

  it('is so, too, where it is checked by itself', () => {
    const schemas: [string, z.ZodType][] = [
      ['item of a batch', sasRequest],
      ...reports.map(
        (report) =>
          [`report ${report.name}`, report.parameters.extend(formatParameters)] as [string, z.ZodType],
      ),
    ];

    expect(schemas.flatMap(([path, schema]) => unboundedIn(path, schema))).toEqual([]);
    expect(reports.length).toBeGreaterThan(0);
  });

  it('is bounded in the metadata of a file, which comes as a text', () => {
    const refused = [
      Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`a${index}`, 'b'])),
      { a: 'b'.repeat(9_000) },
      { ['a'.repeat(129)]: 'b' },
      { a: 'b\u202e' },
      { 'a\n': 'b' },
      { a: 1 },
    ];

    expect(refused.map((value) => metadataShape.safeParse(value).success)).toEqual(refused.map(() => false));
    expect(metadataShape.safeParse({ a: 'żółw 👨‍👩‍👧' }).success).toBe(true);
  });
});
