import {
  identifierName,
  isNode,
  literalText,
  type SourceFile,
  type SyntaxNode,
} from '../reading/source-file.ts';

/** A class that is thrown, as its source declares it. */
export interface ErrorClass {
  readonly place: string;
  readonly className: string;
  readonly parent: string;
  /** The literal its `name` holds; `undefined` when it declares none or no literal. */
  readonly name: string | undefined;
  /** The literal its `code` holds; `typed` when it is a property of a type that the constructor fills. */
  readonly code: { readonly literal: string } | 'typed' | undefined;
}

const builtInErrors = ['Error', 'TypeError', 'RangeError', 'SyntaxError', 'AggregateError'];
const codeForm = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;

/** All classes of the files that extend a built-in error, or another class here that does. */
export function errorClasses(files: readonly SourceFile[]): ErrorClass[] {
  const classes = files.flatMap((file) =>
    file.nodes
      .filter(({ node }) => node.type === 'ClassDeclaration' || node.type === 'ClassExpression')
      .map(({ node }) => describeClass(file, node)),
  );
  const parents = new Map(classes.map(({ className, parent }) => [className, parent]));
  const isError = (name: string, seen: readonly string[] = []): boolean =>
    builtInErrors.includes(name) ||
    (!seen.includes(name) && isError(parents.get(name) ?? '', [...seen, name]));
  return classes.filter(({ parent }) => parent !== '' && isError(parent, ['']));
}

/** What is wrong with the error classes, among themselves too. */
export function faultsOfErrorClasses(classes: readonly ErrorClass[]): string[] {
  const byName = new Map(classes.map((known) => [known.className, known]));
  const inheritsCode = ({ parent }: ErrorClass): boolean => {
    const base = byName.get(parent);
    return base !== undefined && (base.code !== undefined || inheritsCode(base));
  };
  return classes.flatMap((known) => {
    const { place, className, name, code } = known;
    const faults: string[] = [];
    if (className === '') faults.push('has no name: declare it as a class of its own');
    else if (name !== className) faults.push(`needs \`override readonly name = '${className}' as const\``);
    if (!code && !inheritsCode(known))
      faults.push("needs a stable code, such as `readonly code = 'went_wrong'`");
    if (typeof code === 'object' && !codeForm.test(code.literal))
      faults.push(`has the code ${code.literal}: write it in lower_snake_case`);
    if (classes.some((other) => other.className === className && other.place < place))
      faults.push('has the name of another class');
    return faults.map((fault) => `${place} ${className} ${fault}`);
  });
}

/** Codes that are not stable words in lower_snake_case. */
export function malformedCodes(codes: readonly string[]): string[] {
  return codes.filter((code) => !codeForm.test(code));
}

function describeClass(file: SourceFile, node: SyntaxNode): ErrorClass {
  return {
    place: `${file.path}:${file.lineOf(node.start)}`,
    className: identifierName(node['id']) ?? '',
    parent: identifierName(node['superClass']) ?? '',
    name: literalConstant(propertyOf(node, 'name')),
    code: codeOf(propertyOf(node, 'code')),
  };
}

function propertyOf(node: SyntaxNode, name: string): SyntaxNode | undefined {
  const members = (node['body'] as SyntaxNode)['body'] as SyntaxNode[];
  return members.find(
    (member) =>
      member.type === 'PropertyDefinition' && !member['static'] && identifierName(member['key']) === name,
  );
}

/** `'X' as const` of a readonly property. */
function literalConstant(property: SyntaxNode | undefined): string | undefined {
  const value = property?.['value'];
  return property?.['readonly'] === true && isNode(value) && value.type === 'TSAsExpression'
    ? literalText(value['expression'])
    : undefined;
}

function codeOf(property: SyntaxNode | undefined): ErrorClass['code'] {
  if (property?.['readonly'] !== true) return undefined;
  const literal = literalText(property['value']) ?? literalConstant(property);
  if (literal !== undefined) return { literal };
  return isNode(property['typeAnnotation']) ? 'typed' : undefined;
}
