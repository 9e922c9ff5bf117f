import { importsOf } from '../reading/imports.ts';
import { identifierName, isNode, type SourceFile, type SyntaxNode } from '../reading/source-file.ts';

/** Modules by which a connection can be opened. */
const openers =
  /^(?:node:)?(?:http|https|http2|net|tls|dgram|dns(?:\/promises)?|child_process|cluster)$|^undici$/;
/** What is global and opens one. */
const globals = ['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest'];

/** Where a connection can be opened, as `path what`; SDKs have their own rooms by the law of imports. */
export function waysOut(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const imported = importsOf(file)
      .filter(({ specifier = '', typeOnly }) => openers.test(specifier) && !typeOnly)
      .map(({ specifier }) => specifier);
    const used = file.nodes.flatMap(({ node }) => globalOpenerOf(node) ?? []);
    return [...new Set([...imported, ...used])].map((what) => `${file.path} ${what}`);
  });
}

/** `fetch(…)`, `globalThis.fetch(…)`, `new WebSocket(…)`. */
function globalOpenerOf({ type, callee }: SyntaxNode): string | undefined {
  if (type !== 'CallExpression' && type !== 'NewExpression') return undefined;
  const isGlobal =
    isNode(callee) && callee.type === 'MemberExpression' && identifierName(callee['object']) === 'globalThis';
  const name = identifierName(isGlobal ? callee['property'] : callee);
  return globals.find((known) => known === name);
}
