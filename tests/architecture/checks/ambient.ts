import { importsOf } from '../reading/imports.ts';
import { identifierName, isNode, type Placed, type SourceFile } from '../reading/source-file.ts';

/** Something that is everywhere in Node and has one place here. */
interface AmbientRule {
  readonly what: RegExp;
  /** Paths that may use it. */
  readonly home: RegExp;
  readonly instead: string;
}

const clock = { home: /^src\/lib\/core\/clock\.ts$/, instead: 'take a Clock' };
const ids = { home: /^src\/lib\/core\/ids\.ts$/, instead: 'use newId or newSecret of core' };

/** What is used, written as the code says it, with where it may stand. */
export const ambientRules: readonly AmbientRule[] = [
  { what: /^process\.env$/, home: /^src\/lib\/config\/load\.ts$/, instead: 'take a Config' },
  { what: /^(Date\.now|Date\(\)|Math\.random|AbortSignal\.timeout)$/, ...clock },
  { what: /^(setTimeout|setInterval|setImmediate|performance)$/, ...clock },
  { what: /^node:(timers(\/promises)?|perf_hooks)$/, ...clock },
  { what: /^(crypto\.)?(randomUUID|randomBytes|randomInt|randomFill(Sync)?|getRandomValues)$/, ...ids },
  { what: /^console$/, home: /^src\/cli\//, instead: 'take a Logger' },
];

/** Uses of time, timers, randomness, environment and console outside of their place. */
export function ambientUses(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const uses = file.nodes.flatMap((placed) => {
      const what = useOf(placed);
      return what === undefined ? [] : [{ what, line: file.lineOf(placed.node.start) }];
    });
    const modules = importsOf(file).map(({ specifier, line }) => ({ what: specifier ?? '', line }));
    return [...uses, ...modules].flatMap(({ what, line }) => {
      const rule = ambientRules.find((known) => known.what.test(what));
      if (!rule || rule.home.test(file.path)) return [];
      return [`${file.path}:${line} uses ${what}: ${rule.instead}`];
    });
  });
}

/** How a node uses something ambient, written out: `Date.now`, `setTimeout`, `Date()`. */
function useOf(placed: Placed): string | undefined {
  const { node, parent } = placed;
  if (node.type === 'MemberExpression') {
    const property = identifierName(node['property']);
    const object = withoutGlobal(node['object']);
    return property && (object === '' ? property : `${object}.${property}`);
  }
  if (node.type === 'NewExpression' || node.type === 'CallExpression') {
    const isDate = identifierName(node['callee']) === 'Date';
    return isDate && (node['arguments'] as unknown[]).length === 0 ? 'Date()' : undefined;
  }
  if (node.type === 'ImportSpecifier') return importedFrom(parent, identifierName(node['imported']));
  return isReference(placed) ? identifierName(node) : undefined;
}

/** Names of an object that is the global one vanish, so that `globalThis.setTimeout` is `setTimeout`. */
function withoutGlobal(object: unknown): string | undefined {
  if (isNode(object) && object.type === 'MemberExpression') return identifierName(object['property']);
  const name = identifierName(object);
  return name === 'globalThis' || name === 'global' ? '' : name;
}

/** `import { env } from 'node:process'` is `process.env`. */
function importedFrom(declaration: Placed | undefined, imported: string | undefined): string | undefined {
  const source = declaration?.node['source'];
  const isProcess = isNode(source) && source['value'] === 'node:process';
  return isProcess ? `process.${imported}` : imported;
}

/** True for an identifier that is read as a variable, not for names of properties, parameters or types' members. */
function isReference({ node, parent, property }: Placed): boolean {
  if (node.type !== 'Identifier' || !parent) return false;
  const owner = parent.node;
  if (owner.type === 'MemberExpression') return property === 'object' || owner['computed'] === true;
  return property !== 'key' || owner['computed'] === true || owner['shorthand'] === true;
}
