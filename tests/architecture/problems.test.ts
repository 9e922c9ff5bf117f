import { describe, expect, it } from 'vitest';
import { advice } from '../../scripts/problem-advice.ts';
import { problemsDocument, roomsThatRaise } from '../../scripts/problems-document.ts';
import { AppError, type ProblemCode, problems } from '../../src/lib/core/index.ts';
import { toProblem } from '../../src/lib/http/index.ts';
import { errorClasses } from './checks/error-classes.ts';
import { readSources, readText, readTypeScript, root } from './reading/project-files.ts';

const codes = Object.keys(problems) as ProblemCode[];
const sources = readTypeScript('src');

describe('the rooms that raise a problem', () => {
  const roomsIn = (text: string, path = 'src/lib/files/gate.ts') =>
    roomsThatRaise('empty_file', [{ path, text }]);

  it.each([
    ['thrown with its words', "throw new AppError('empty_file', 'It is empty')"],
    ['thrown with words of a name', "throw new AppError(\n    'empty_file',\n    words)"],
    ['in a table', "['empty_file', 'It is empty']"],
    ['made by another function', "refusal('empty_file', `Empty`)"],
  ])('are found by a code that is %s', (_, text) => {
    expect(roomsIn(text)).toEqual(['files']);
  });

  it.each([
    ['asked for', "isAppError(error, 'empty_file')"],
    ['listed', "const codes = ['empty_file', 'internal']"],
    ['part of another', "new AppError('empty_file_name', 'It is empty')"],
  ])('are not those where a code is only %s', (_, text) => {
    expect(roomsIn(text)).toEqual([]);
  });

  it('are named once each, in order, and the catalogue is none of them', () => {
    const text = "new AppError('empty_file', 'It is empty')";
    const paths = [
      'src/lib/http/b.ts',
      'src/lib/http/a.ts',
      'src/functions/c.ts',
      'src/lib/core/problems.ts',
    ];

    const rooms = roomsThatRaise(
      'empty_file',
      paths.map((path) => ({ path, text })),
    );

    expect(rooms).toEqual(['functions', 'http']);
  });
});

describe('docs/errors.md', () => {
  it('is what `npm run problems` writes', () => {
    const written = problemsDocument(sources);

    expect(readText('docs/errors.md'), 'a problem has changed: run `npm run problems`').toBe(written);
  });

  it('shows every code once', () => {
    const rows = readText('docs/errors.md').matchAll(/^\| \d{3} \| `([a-z_]+)` \|/gm);

    expect([...rows].map(([, code]) => code)).toEqual(codes);
  });
});

describe('the catalogue of problems', () => {
  it('has no code that nobody raises', () => {
    expect(codes.filter((code) => roomsThatRaise(code, sources).length === 0)).toEqual([]);
  });

  it('has a sentence of advice for each, and nothing that would break the table', () => {
    for (const code of codes) {
      expect(advice[code][1], code).toMatch(/^[A-Z][^\n|]+\.$/);
      expect(problems[code][1], code).not.toMatch(/[\n|]/);
    }
  });

  it('is ordered by status', () => {
    const statuses = Object.values(problems).map(([status]) => status);

    expect(statuses).toEqual(statuses.toSorted((a, b) => a - b));
  });

  it('says "later" for what comes from us, and 400, 401, 403, 413, 415 and 422 only with a change', () => {
    for (const code of codes) {
      const status: number = problems[code][0];
      const [again] = advice[code];
      if (status >= 500 || status === 429) expect(again, code).toBe('later');
      if ([400, 401, 403, 413, 415, 422].includes(status)) expect(again, code).toBe('changed');
    }
  });
});

describe('an error class of src', () => {
  it('shows nothing of itself to clients, unless it is AppError', async () => {
    const classes = errorClasses(readSources('src')).filter(({ className }) => className !== 'AppError');
    let seen = 0;

    for (const { className, place } of classes) {
      const module = (await import(`${root}${place.split(':')[0]}`)) as Record<string, unknown>;
      const errorClass = module[className];
      if (typeof errorClass !== 'function') continue;
      // Without its constructor, whose arguments differ: what counts is whose instance it is.
      const error = Reflect.construct(
        Error,
        ['hidden words', { cause: new Error('hidden cause') }],
        errorClass,
      );

      const text = JSON.stringify(toProblem(error, 'correlation-1'));

      expect(JSON.parse(text), className).toMatchObject({ status: 500, code: 'internal' });
      expect(text, className).not.toContain('hidden');
      seen++;
    }

    expect(seen).toBeGreaterThan(5);
  });

  it('never shows its cause, if it is AppError', () => {
    for (const code of codes) {
      const text = JSON.stringify(
        toProblem(new AppError(code, 'Shown', { cause: new Error('hidden cause') }), 'correlation-1'),
      );

      expect(JSON.parse(text), code).toMatchObject({ code, detail: 'Shown', status: problems[code][0] });
      expect(text, code).not.toContain('hidden');
    }
  });
});
