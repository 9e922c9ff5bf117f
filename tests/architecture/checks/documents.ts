import { posix } from 'node:path';
import { codeBlocks, headingAnchors, linkTargets } from '../reading/markdown.ts';
import { parseSource, type TextFile } from '../reading/source-file.ts';

/**
 * Relative links that lead nowhere.
 *
 * @param exists - tells whether a file or folder of the repository exists
 */
export function brokenLinks(documents: readonly TextFile[], exists: (path: string) => boolean): string[] {
  const anchors = new Map(documents.map((document) => [document.path, headingAnchors(document)]));
  return documents.flatMap((document) =>
    linkTargets(document)
      .filter((target) => !/^([a-z][a-z0-9+.-]*:|\/\/)/i.test(target))
      .flatMap((target) => {
        const [file = '', anchor] = decodeURI(target).split('#');
        const path = file === '' ? document.path : posix.join(posix.dirname(document.path), file);
        if (!exists(path)) return [`${document.path} links to ${target}, but ${path} does not exist`];
        const known = anchor === undefined ? undefined : anchors.get(path);
        if (!known || known.includes(anchor ?? '')) return [];
        return [`${document.path} links to ${target}, but ${path} has no such heading`];
      }),
  );
}

/** TypeScript blocks that do not parse. */
export function brokenSnippets(documents: readonly TextFile[]): string[] {
  return documents.flatMap((document) =>
    codeBlocks(document)
      .filter(({ language }) => language === 'ts' || language === 'typescript')
      .flatMap(({ text, line }) => {
        try {
          parseSource(`${document.path}:${line}`, text);
          return [];
        } catch (error) {
          return [(error as Error).message];
        }
      }),
  );
}

/** The ten risks of the OWASP API Security Top 10 (2023), as headings name them. */
const risks = Array.from({ length: 10 }, (_, index) => `API${index + 1}`);

/**
 * What is wrong with the table of threats: a risk without a row, a row that is not whole, a row that names no test and does not
 * say that there is none, a test that does not exist.
 *
 * @param exists - tells whether a file of the repository exists
 */
export function faultsOfThreats(document: TextFile, exists: (path: string) => boolean): string[] {
  const sections = document.text.split(/^## /m).slice(1);
  const rows = sections.flatMap((section) => {
    const [title = ''] = section.split('\n');
    return threatRows(section).map((cells) => ({ title, cells }));
  });
  const missing = risks.filter((risk) => !rows.some(({ title }) => title.startsWith(`${risk} `)));
  return [
    ...missing.map((risk) => `${document.path} has no threat under ${risk}`),
    ...rows.flatMap(({ cells }) =>
      faultsOfThreat(cells, exists).map((fault) => `${document.path}, "${cells[1]}": ${fault}`),
    ),
  ];
}

function threatRows(section: string): string[][] {
  const lines = section.split('\n').filter((line) => line.startsWith('| '));
  // Of any other table, what it is about stands in its first column.
  if (!lines[0]?.startsWith('| asset | threat |')) return [];
  return lines.slice(1).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

function faultsOfThreat(cells: readonly string[], exists: (path: string) => boolean): string[] {
  if (cells.length !== 4 || cells.includes('')) return ['say asset, threat, what stops it, and the test'];
  const named = [...(cells[3] ?? '').matchAll(/`([^`]+)`/g)].map(([, path = '']) => path);
  if (named.length === 0 && !/\bnot tried\b/.test(cells[3] ?? '')) {
    return ['name a test, or say that it was not tried'];
  }
  return named
    .filter((path) => !path.endsWith('.test.ts') || !exists(path))
    .map((path) => `${path} is no test here`);
}
