import { identifierName, isNode, literalText, type Placed, type SourceFile } from '../reading/source-file.ts';

/** The one place that compares secrets. */
export const comparingFile = 'src/lib/security/derived-keys.ts';

/** Ends of names of values that somebody might guess bit by bit. */
const secretName =
  /(?:hash|secret|token|signature|digest|password|passphrase|credential|hmac|cookie|apiKey|secretKey|privateKey)(?:Text|Bytes|Hex|Value)?$|^mac$|(?<=[a-z])Mac$/i;

const operators = ['===', '!==', '==', '!='];
/** Methods that stop at the first byte that differs. */
const comparingMethods = [
  'equals',
  'compare',
  'localeCompare',
  'indexOf',
  'includes',
  'startsWith',
  'endsWith',
];

/** Comparisons of secrets that take the longer, the more is right; and whatever compares in constant time elsewhere. */
export function unsafeComparisons(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const comparisons = file.nodes.flatMap(({ node }) => {
      const text = file.text.slice(node.start, node.end);
      if (!comparedSecrets(node).length) return [];
      return [`${file.path}:${file.lineOf(node.start)} compares a secret: ${text}`];
    });
    return [...comparisons, ...strayComparers(file)];
  });
}

function strayComparers(file: SourceFile): string[] {
  if (file.path === comparingFile) return [];
  const lines = file.nodes
    .filter(({ node }) => identifierName(node) === 'timingSafeEqual')
    .map(({ node }) => file.lineOf(node.start));
  return [...new Set(lines)].map(
    (line) => `${file.path}:${line} uses timingSafeEqual: use equalsInConstantTime`,
  );
}

function comparedSecrets(node: Placed['node']): string[] {
  const sides = sidesOf(node);
  // Against a constant nothing can be found out that is not in the source.
  if (sides.length < 2 || sides.some(isConstant)) return [];
  return sides.flatMap((side) => {
    const name = nameOf(side);
    return name !== undefined && secretName.test(name) ? [name] : [];
  });
}

/** What is held against what. */
function sidesOf(node: Placed['node']): unknown[] {
  if (node.type === 'BinaryExpression' && operators.includes(String(node['operator'])))
    return [node['left'], node['right']];
  if (node.type !== 'CallExpression' || !isNode(node['callee']) || node['callee'].type !== 'MemberExpression')
    return [];
  const { callee } = node;
  const method = identifierName((callee as Placed['node'])['property']);
  if (method === undefined || !comparingMethods.includes(method)) return [];
  return [(callee as Placed['node'])['object'], ...(node['arguments'] as unknown[])];
}

function isConstant(value: unknown): boolean {
  if (identifierName(value) === 'undefined' || literalText(value) !== undefined) return true;
  return (
    isNode(value) &&
    (value.type === 'Literal' || (value.type === 'UnaryExpression' && value['operator'] === 'typeof'))
  );
}

/** The last word of what is compared: `stored.hash`, `hash`, `hashOf(x)`, `hash.toString('hex')`, `hash?.length` is not one. */
function nameOf(value: unknown): string | undefined {
  if (!isNode(value)) return undefined;
  switch (value.type) {
    case 'Identifier':
      return identifierName(value);
    case 'MemberExpression':
      return value['computed'] === true ? nameOf(value['object']) : identifierName(value['property']);
    case 'CallExpression':
      return nameOfCall(value);
    case 'ChainExpression':
    case 'AwaitExpression':
    case 'TSAsExpression':
    case 'ParenthesizedExpression':
      return nameOf(value['expression'] ?? value['argument']);
    case 'LogicalExpression':
      return nameOf(value['left']);
    default:
      return undefined;
  }
}

/** Conversions keep what they convert; of other calls the function is named for what it gives. */
function nameOfCall(call: Placed['node']): string | undefined {
  const { callee } = call;
  const method =
    isNode(callee) && callee.type === 'MemberExpression' ? identifierName(callee['property']) : undefined;
  const converts =
    method !== undefined && ['toString', 'subarray', 'slice', 'trim', 'toLowerCase'].includes(method);
  if (converts && isNode(callee)) return nameOf(callee['object']);
  if (method === 'digest') return method;
  return nameOf(callee)?.replace(/Of$/, '');
}
