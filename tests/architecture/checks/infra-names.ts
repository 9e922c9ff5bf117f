import type { Deployment } from '../reading/bicep/deployment.ts';
import { at, isList, isValues, listOf, textOf, type Value } from '../reading/bicep/values.ts';
import {
  identifierName,
  isNode,
  literalText,
  type SourceFile,
  type SyntaxNode,
} from '../reading/source-file.ts';

/** What code opens by a method: texts as they are, members of the configuration by what `settingDefault` says. */
export function openedNames(
  files: readonly SourceFile[],
  method: string,
  settingDefault: (setting: string) => string | undefined,
): string[] {
  const names = files.flatMap(({ path, nodes }) =>
    nodes.flatMap(({ node }) => {
      const argument = argumentOf(node, method);
      if (!argument) return [];
      const name = literalText(argument) ?? settingDefault(memberName(argument) ?? '');
      if (name === undefined) throw new Error(`${path}: what ${method} opens cannot be read`);
      return [name];
    }),
  );
  return [...new Set(names)].sort();
}

/** `something.method(argument)` */
function argumentOf(node: SyntaxNode, method: string): SyntaxNode | undefined {
  const { callee } = node;
  if (node.type !== 'CallExpression' || !isNode(callee) || callee.type !== 'MemberExpression')
    return undefined;
  const [argument] = node['arguments'] as unknown[];
  return identifierName(callee['property']) === method && isNode(argument) ? argument : undefined;
}

function memberName(node: SyntaxNode): string | undefined {
  return node.type === 'MemberExpression' ? identifierName(node['property']) : undefined;
}

/** The texts of `const name = ['…', …]`. */
export function listedTexts({ path, nodes }: SourceFile, name: string): string[] {
  const list = nodes
    .map(({ node }) => node)
    .find(({ type, id }) => type === 'VariableDeclarator' && identifierName(id) === name)?.['init'];
  if (!isNode(list)) throw new Error(`${path} has no list ${name}`);
  return (list['elements'] as unknown[]).map((element) => literalText(element) ?? '');
}

/** What both sides name, as one sentence for each that only one of them knows. */
export function differences(what: string, code: readonly string[], infra: readonly string[]): string[] {
  return [
    ...code.filter((name) => !infra.includes(name)).map((name) => `${what} ${name} is not deployed`),
    ...infra.filter((name) => !code.includes(name)).map((name) => `${what} ${name} is used by nothing`),
  ];
}

/** The function groups that are kept ready, by the names the platform gives them. */
export function readyGroups({ resources }: Deployment): string[] {
  const site = resources.find(({ type }) => type === 'Microsoft.Web/sites');
  const groups = listOf(at(site?.body, 'properties.functionAppConfig.scaleAndConcurrency.alwaysReady'));
  return groups.map((group) => textOf(at(group, 'name')));
}

/** Paths of our own that stand anywhere in what is deployed, and match no route. Outputs are given to hooks and people. */
export function strayPaths({ resources, outputs }: Deployment, routes: readonly string[]): string[] {
  const texts = [...resources.map(({ body }) => body), outputs].flatMap(textsIn);
  const paths = texts.flatMap((text) => /(?:^|\.net)\/((?:api|health|metrics)[^?#]*)/.exec(text)?.[1] ?? []);
  return paths.filter((path) => !routes.includes(path));
}

function textsIn(value: Value): string[] {
  if (typeof value === 'string') return [value];
  if (isList(value)) return value.flatMap(textsIn);
  return isValues(value) ? Object.values(value).flatMap(textsIn) : [];
}

/** What azd itself puts into its environment, and what @azure/identity reads there. */
const ofOthers = ['AZURE_ENV_NAME', 'AZURE_SUBSCRIPTION_ID', 'AZURE_CLIENT_ID', 'AZURE_TOKEN_CREDENTIALS'];
const environmentName = /^(?:APP|AZURE|DATABASE_ADMIN|POSTGRES|SERVICE)_[A-Z_]+$/;

/** Names by which scripts ask azd for what was deployed, and that are no output. */
export function unknownOutputs(scripts: readonly SourceFile[], { outputs }: Deployment): string[] {
  return scripts.flatMap(({ path, nodes, lineOf }) =>
    nodes.flatMap(({ node }) => {
      const name = literalText(node);
      if (name === undefined || !environmentName.test(name)) return [];
      return name in outputs || ofOthers.includes(name) ? [] : [`${path}:${lineOf(node.start)} ${name}`];
    }),
  );
}
