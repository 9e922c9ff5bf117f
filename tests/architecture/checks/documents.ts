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
