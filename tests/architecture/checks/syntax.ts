import type { SourceFile, SyntaxNode } from '../reading/source-file.ts';

/** Forms that are not used here, by the type of their node, with what is written instead. */
const refused: Readonly<Record<string, string>> = {
  ExportDefaultDeclaration: 'exports a default: give it a name',
  ExportAllDeclaration: 'exports `*`: list the names',
  TSExportAssignment: 'exports with `export =`: give it a name',
  TSEnumDeclaration: 'declares an enum: use a union of literals',
  TSModuleDeclaration: 'declares a namespace: a file is one already',
  TSAnyKeyword: 'uses `any`: use `unknown` and narrow it',
  TSNonNullExpression: 'uses `!`: handle the value that may be missing',
};

/** Uses of the refused forms. */
export function refusedForms(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    file.nodes.flatMap(({ node }) => {
      const advice = isAmbient(node) ? undefined : refused[node.type];
      return advice ? [`${file.path}:${file.lineOf(node.start)} ${advice}`] : [];
    }),
  );
}

/** `declare module` adds to the types of a package and makes no namespace. */
function isAmbient(node: SyntaxNode): boolean {
  return node.type === 'TSModuleDeclaration' && node['declare'] === true;
}
