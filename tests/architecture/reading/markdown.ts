import type { TextFile } from './source-file.ts';

/** A fenced block of code. */
export interface CodeBlock {
  readonly language: string;
  readonly text: string;
  /** Line of its fence. */
  readonly line: number;
}

const fencedBlock = /^[ \t]*```(\w*)[^\n]*\n([\s\S]*?)^[ \t]*```[ \t]*$/gm;

/** The fenced blocks of a Markdown file. */
export function codeBlocks({ text }: TextFile): CodeBlock[] {
  return [...text.matchAll(fencedBlock)].map(({ 1: language = '', 2: block = '', index }) => ({
    language,
    text: block,
    line: text.slice(0, index).split('\n').length,
  }));
}

/** Addresses a Markdown file links to: inline, by reference and in HTML; what stands in code is no link. */
export function linkTargets({ text }: TextFile): string[] {
  const prose = text.replace(fencedBlock, '').replace(/`[^`\n]*`/g, '');
  const shapes = [
    /\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g,
    /^\[[^\]]+\]:\s*(\S+)/gm,
    /(?:href|src)="([^"]+)"/g,
  ];
  return shapes.flatMap((shape) => [...prose.matchAll(shape)].map(([, target = '']) => target));
}

/** The anchors of the headings of a Markdown file, as GitHub makes them. */
export function headingAnchors({ text }: TextFile): string[] {
  const seen = new Map<string, number>();
  const headings = [...text.replace(fencedBlock, '').matchAll(/^#{1,6}\s+(.+?)\s*$/gm)];
  return headings.map(([, heading = '']) => {
    const anchor = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-');
    const earlier = seen.get(anchor) ?? 0;
    seen.set(anchor, earlier + 1);
    return earlier === 0 ? anchor : `${anchor}-${earlier}`;
  });
}
