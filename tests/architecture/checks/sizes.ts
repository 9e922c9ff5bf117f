import {
  identifierName,
  isNode,
  type Placed,
  type SourceFile,
  type TextFile,
} from '../reading/source-file.ts';

/** A named function and how many lines it takes, from its name to its closing brace. */
export interface FunctionSize {
  readonly place: string;
  readonly lines: number;
}

/** Lines of a file, a newline at its end not counted as another. */
export function lineCount(text: string): number {
  return text.replace(/\n$/, '').split('\n').length;
}

/** Lines of a file that are neither blank nor comment only: explaining costs no budget. */
export function codeLineCount(text: string): number {
  return text.split('\n').filter((line) => !/^\s*(?:$|\/\/|\/\*|\*)/.test(line)).length;
}

/** The files that are longer than the limit, as `path: lines`. */
export function filesLongerThan(limit: number, files: readonly TextFile[]): string[] {
  return files
    .map(({ path, text }) => ({ path, lines: lineCount(text) }))
    .filter(({ lines }) => lines > limit)
    .map(({ path, lines }) => `${path}: ${lines} lines, more than ${limit}; split it by what it holds`);
}

/**
 * The value below which the given share of the numbers lies (nearest rank).
 *
 * @param share - between 0 and 1; 0.5 is the median
 */
export function percentile(share: number, numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

/**
 * Sizes of all named functions: declarations, methods, and those assigned to a name or property. Callbacks are left
 * out, they count to the function they stand in; one-liners among them would otherwise hide what is long.
 */
export function functionSizes(files: readonly SourceFile[]): FunctionSize[] {
  return files.flatMap((file) =>
    file.nodes.flatMap((placed) => {
      const name = functionName(placed);
      if (name === undefined) return [];
      const line = file.lineOf(placed.node.start);
      const lines = file.lineOf(placed.node.end) - line + 1;
      return [{ place: `${file.path}:${line} ${name}`, lines }];
    }),
  );
}

const functionTypes = ['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'];
const ownerNames: Readonly<Record<string, string>> = {
  VariableDeclarator: 'id',
  Property: 'key',
  PropertyDefinition: 'key',
  MethodDefinition: 'key',
};

function functionName({ node, parent }: Placed): string | undefined {
  if (!functionTypes.includes(node.type) || !isNode(node['body'])) return undefined;
  if (node.type === 'FunctionDeclaration') return identifierName(node['id']);
  const owner = parent?.node;
  const nameProperty = owner && ownerNames[owner.type];
  return nameProperty && identifierName(owner[nameProperty]);
}
