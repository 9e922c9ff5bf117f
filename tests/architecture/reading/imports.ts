import { posix } from 'node:path';
import { identifierName, isNode, literalText, type SourceFile, type SyntaxNode } from './source-file.ts';

/** One mention of another module. */
export interface Import {
  /** As written; `undefined` when it is computed at run time. */
  readonly specifier: string | undefined;
  readonly typeOnly: boolean;
  readonly line: number;
}

/** Every mention of another module: static, re-exporting, dynamic, in a type, and by `require` or `import.meta.resolve`. */
export function importsOf(file: SourceFile): Import[] {
  return file.nodes.flatMap(({ node }) => {
    const mention = mentionOf(node);
    return mention ? [{ ...mention, line: file.lineOf(node.start) }] : [];
  });
}

function mentionOf(node: SyntaxNode): Omit<Import, 'line'> | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
      if (!isNode(node['source'])) return undefined;
      return { specifier: literalText(node['source']), typeOnly: isTypeOnly(node) };
    case 'ImportExpression':
      return { specifier: literalText(node['source']), typeOnly: false };
    case 'TSImportType':
      return { specifier: literalText(node['source'] ?? node['argument']), typeOnly: true };
    case 'CallExpression':
      if (!isResolver(node['callee'])) return undefined;
      return { specifier: literalText((node['arguments'] as unknown[])[0]), typeOnly: false };
    default:
      return undefined;
  }
}

function isTypeOnly(node: SyntaxNode): boolean {
  if (node['importKind'] === 'type' || node['exportKind'] === 'type') return true;
  const specifiers = (node['specifiers'] ?? []) as SyntaxNode[];
  const isType = (entry: SyntaxNode) => entry['importKind'] === 'type' || entry['exportKind'] === 'type';
  return specifiers.length > 0 && specifiers.every(isType);
}

/** `require(…)`, `require.resolve(…)`, `import.meta.resolve(…)`. */
function isResolver(callee: unknown): boolean {
  if (identifierName(callee) === 'require') return true;
  if (!isNode(callee) || callee.type !== 'MemberExpression') return false;
  const { object } = callee;
  const resolvesFrom =
    identifierName(object) === 'require' || (isNode(object) && object.type === 'MetaProperty');
  return resolvesFrom && identifierName(callee['property']) === 'resolve';
}

/** The path, from the root of the repository, that a relative specifier means; `undefined` for packages and built-ins. */
export function targetOf(file: SourceFile, specifier: string): string | undefined {
  return specifier.startsWith('.') ? posix.join(posix.dirname(file.path), specifier) : undefined;
}
