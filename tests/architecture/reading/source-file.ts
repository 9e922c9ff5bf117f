import { parseAst } from 'rolldown/parseAst';

/** A node of the syntax tree (ESTree with TypeScript, as oxc makes it). */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [property: string]: unknown;
}

/** A node with the node it hangs from and the property it hangs on. */
export interface Placed {
  readonly node: SyntaxNode;
  readonly parent: Placed | undefined;
  readonly property: string;
}

/** A file of the repository as text. */
export interface TextFile {
  /** From the root of the repository, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** A parsed TypeScript file. */
export interface SourceFile extends TextFile {
  /** Every node, parents before children. */
  readonly nodes: readonly Placed[];
  lineOf(offset: number): number;
}

/** Parses a file; comments and strings can so never be mistaken for code. TypeScript 7 itself has no stable API for this. */
export function parseSource(path: string, text: string): SourceFile {
  const nodes: Placed[] = [];
  collect(parse(path, text), undefined, 'program', nodes);
  const lineStarts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  return { path, text, nodes, lineOf: (offset) => lineStarts.findLastIndex((start) => start <= offset) + 1 };
}

function parse(path: string, text: string): SyntaxNode {
  try {
    return parseAst(text, { lang: 'ts' }, path) as unknown as SyntaxNode;
  } catch (cause) {
    throw new Error(`${path} is not TypeScript: ${(cause as Error).message}`, { cause });
  }
}

function collect(node: SyntaxNode, parent: Placed | undefined, property: string, into: Placed[]): void {
  const placed = { node, parent, property };
  into.push(placed);
  for (const [name, value] of Object.entries(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) collect(child, placed, name, into);
    }
  }
}

/** Narrows a property of a node to a node. */
export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && typeof (value as SyntaxNode).type === 'string';
}

/** The text of a string literal (a template without holes counts); `undefined` for anything else. */
export function literalText(value: unknown): string | undefined {
  if (!isNode(value)) return undefined;
  if (value.type === 'Literal') return typeof value['value'] === 'string' ? value['value'] : undefined;
  if (value.type !== 'TemplateLiteral' || (value['expressions'] as unknown[]).length > 0) return undefined;
  return (value['quasis'] as { value: { cooked: string } }[])[0]?.value.cooked;
}

/** The name of an identifier; `undefined` for anything else. */
export function identifierName(value: unknown): string | undefined {
  return isNode(value) && value.type === 'Identifier' ? (value['name'] as string) : undefined;
}
