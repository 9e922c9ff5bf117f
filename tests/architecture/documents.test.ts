import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { auditRules } from '../../src/lib/config/audit/audit.ts';
import { brokenLinks, brokenSnippets, faultsOfThreats } from './checks/documents.ts';
import { listFiles, readText, root } from './reading/project-files.ts';

const documents = listFiles()
  .filter((path) => path.endsWith('.md'))
  .map((path) => ({ path, text: readText(path) }));

describe('a link in the documentation', () => {
  const target = { path: 'docs/b.md', text: '# The `b` file, once\n## Same\n## Same\n' };
  const broken = (text: string) => {
    const exists = (path: string) => ['README.md', 'docs', 'docs/b.md', 'docs/c d.png'].includes(path);
    return brokenLinks([{ path: 'README.md', text }, target], exists);
  };

  it.each([
    ['[b](docs/missing.md)', 'docs/missing.md does not exist'],
    ['[b]: docs/missing.md', 'docs/missing.md does not exist'],
    ['<img src="docs/missing.png">', 'docs/missing.png does not exist'],
    ['[b](docs/b.md#nothing)', 'no such heading'],
    ['[b](#nothing)', 'no such heading'],
    ['[b](../docs/b.md)', '../docs/b.md does not exist'],
  ])('is refused as %s', (text, reason) => {
    expect(broken(text)).toEqual([expect.stringContaining(reason)]);
  });

  it.each([
    '[b](docs/b.md) and ![d](docs/c%20d.png "title")',
    '[b](docs/b.md#the-b-file-once)',
    '[b](docs/b.md#same-1)',
    '[docs](docs)',
    '[web](https://example.com/missing.md) and [mail](mailto:a@example.com)',
    'write `[b](missing.md)` for a link',
    '```\n[b](missing.md)\n```',
  ])('is accepted as %s', (text) => {
    expect(broken(text)).toEqual([]);
  });

  it('leads somewhere everywhere', () => {
    const links = brokenLinks(documents, (path) => existsSync(join(root, path)));

    expect(links).toEqual([]);
    expect(documents.map(({ path }) => path)).toContain('docs/conventions.md');
  });
});

describe('TypeScript in the documentation', () => {
  it('is refused when it does not parse', () => {
    const text =
      'text\n\n```ts\nconst a = ;\n```\n\n```ts\nconst b: string = "b";\n```\n\n```sh\nconst c = ;\n```\n';

    expect(brokenSnippets([{ path: 'docs/a.md', text }])).toEqual([
      expect.stringContaining('docs/a.md:3 is not'),
    ]);
  });

  it('parses everywhere', () => {
    expect(brokenSnippets(documents)).toEqual([]);
  });
});

describe('the list of what the audit looks for', () => {
  it('has every finding that the code makes, with its level, and no other', () => {
    const reviews = ['src/lib/database/access-review.ts', 'src/lib/health/storage-review.ts']
      .map(readText)
      .join('');
    const asked = [...reviews.matchAll(/\bid: ['`]([a-z_]+).*?['`],\s+level: '(\w+)'/g)];
    const made = [
      ...auditRules.map(({ id, level }) => `${id} ${level}`),
      ...asked.map(([, id, level]) => `${id} ${level}`),
      ...[...readText('src/dependencies.ts').matchAll(/\bof: '(\w+)'/g)].map(
        ([, of]) => `${of}_unknown unknown`,
      ),
    ];
    const rows = readText('docs/security.md').matchAll(/^\| (`[a-z_<>`, ]+`) \| (\w+) \|/gm);
    const listed = [...rows].flatMap(([, ids = '', level]) =>
      [...ids.matchAll(/`([a-z_]+)/g)].map(([, id]) => `${id} ${level}`),
    );

    expect(made).toContain('clock_skew medium');
    expect(listed.toSorted()).toEqual(made.toSorted());
  });
});

describe('the list of metrics', () => {
  it('has every one that the code makes, and no other', () => {
    const made = listFiles()
      .filter((path) => path.startsWith('src/') && path.endsWith('.ts'))
      .flatMap((path) => [
        ...readText(path).matchAll(/\.(?:counter|observedCounter|gauge|durationHistogram)\(\s*'([a-z_]+)'/g),
      ])
      .map(([, name]) => name);
    const rows = readText('docs/metrics.md').matchAll(/^\| (`.+?`) \|/gm);
    const listed = [...rows].flatMap(([, names = '']) => names.replaceAll('`', '').split(', '));

    expect(made).toContain('http_requests_total');
    expect(listed.toSorted()).toEqual(made.toSorted());
  });
});

describe('the table of threats', () => {
  const head = '| asset | threat | what stops it | test |\n|---|---|---|---|\n';
  const sound = '| files | theft | a lock | `tests/a.test.ts` |\n';
  const documentOf = (first: string) => ({
    path: 'docs/security.md',
    text: Array.from(
      { length: 10 },
      (_, i) => `## API${i + 1} Risk\n\n${head}${i === 0 ? first : sound}\n`,
    ).join(''),
  });
  const faults = (first: string) => faultsOfThreats(documentOf(first), (path) => path === 'tests/a.test.ts');

  it.each([
    ['', 'no threat under API1'],
    ['| files | theft | a lock |\n', 'say asset, threat'],
    ['| files | theft | | `tests/a.test.ts` |\n', 'say asset, threat'],
    ['| files | theft | a lock | soon |\n', 'name a test'],
    [
      '| files | theft | a lock | `tests/a.test.ts`, `tests/b.test.ts` |\n',
      'tests/b.test.ts is no test here',
    ],
    ['| files | theft | a lock | `src/a.ts` |\n', 'src/a.ts is no test here'],
  ])('is refused with %j', (first, reason) => {
    expect(faults(first)).toEqual([expect.stringContaining(reason)]);
  });

  it('is accepted with a test in each row, or the word that nobody tried', () => {
    expect(faults(`${sound}| files | fire | Azure | not tried here |\n`)).toEqual([]);
  });

  it('has a row for every risk of OWASP, and tests that exist', () => {
    const document = { path: 'docs/security.md', text: readText('docs/security.md') };

    expect(faultsOfThreats(document, (path) => existsSync(join(root, path)))).toEqual([]);
  });
});
