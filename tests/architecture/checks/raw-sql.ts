import {
  identifierName,
  isNode,
  literalText,
  type SourceFile,
  type SyntaxNode,
} from '../reading/source-file.ts';

/** A place where text becomes SQL without being a parameter. */
export interface RawSql {
  readonly path: string;
  readonly line: number;
  readonly what: string;
}

/**
 * Finds SQL that is put together as text. Everything else goes through Kysely: what stands in `${}` of its `sql` is a
 * parameter, and names are quoted.
 */
export function rawSqlIn(files: readonly SourceFile[]): RawSql[] {
  return files.flatMap((file) =>
    file.nodes.flatMap(({ node }) => {
      const what = rawSql(node);
      return what === undefined ? [] : [{ path: file.path, line: file.lineOf(node.start), what }];
    }),
  );
}

function rawSql(node: SyntaxNode): string | undefined {
  // `const { raw } = sql`
  if (node.type === 'VariableDeclarator' && identifierName(node['init']) === 'sql') return 'sql.{}';
  if (node.type !== 'CallExpression') return undefined;
  const { callee } = node;
  const [first] = node['arguments'] as unknown[];
  // `sql(text)`, which is no template.
  if (identifierName(callee) === 'sql') return 'sql()';
  if (!isNode(callee) || callee.type !== 'MemberExpression') return undefined;
  const name = identifierName(callee['property']) ?? literalText(callee['property']);
  const owner = identifierName(callee['object']);
  if (name === 'raw') return `${owner ?? '…'}.raw`;
  if (name === 'lit') return `${owner ?? '…'}.lit`;
  // Of pg; a table of storage takes an object.
  const isText = first !== undefined && !(isNode(first) && first.type === 'ObjectExpression');
  if (name === 'query' && isText && literalText(first) === undefined) return `${owner ?? '…'}.query`;
  return undefined;
}
