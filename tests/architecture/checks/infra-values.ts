import type { DeployedResource } from '../reading/bicep/declaration.ts';
import type { Deployment } from '../reading/bicep/deployment.ts';
import type { BicepFile, Expression } from '../reading/bicep/syntax.ts';
import { at, type Value } from '../reading/bicep/values.ts';
import { accountOf } from './infra-security.ts';

const ofType = (type: string) => (resource: DeployedResource) => resource.type === type;
const inside = (resources: readonly DeployedResource[], container: string, type: string) => {
  const id = accountOf(resources, container)?.id ?? 'a missing account';
  return resources.find((resource) => resource.type.endsWith(type) && resource.id.startsWith(`${id}/`));
};
const logsOf = (resources: readonly DeployedResource[], about: DeployedResource | undefined) =>
  resources.find(
    ({ type, scope }) => type === 'Microsoft.Insights/diagnosticSettings' && scope === about?.id && scope,
  );

const immutabilityOf = (resources: readonly DeployedResource[], container: string) =>
  resources.find(({ type, id }) => type.endsWith('/immutabilityPolicies') && id.includes(`/${container}/`));

type Finder = (resources: readonly DeployedResource[]) => DeployedResource | undefined;
const vault: Finder = (all) => all.find(ofType('Microsoft.KeyVault/vaults'));
const database: Finder = (all) => all.find(ofType('Microsoft.DBforPostgreSQL/flexibleServers'));
const app: Finder = (all) => all.find(ofType('Microsoft.Web/sites'));
const files: Finder = (all) => inside(all, 'crownsafe-images', '/blobServices');
const backups: Finder = (all) => inside(all, 'crownsafe-backups', '/blobServices');

/** Names by which tables of expected values call the resources. */
const finders = {
  app,
  backups,
  database,
  files,
  vault,
  'backup account': (all) => accountOf(all, 'crownsafe-backups'),
  'data account': (all) => accountOf(all, 'crownsafe-images'),
  immutability: (all) => immutabilityOf(all, 'crownsafe-backups'),
  'immutability of seals': (all) => immutabilityOf(all, 'crownsafe-audit'),
  'log of the app': (all) => logsOf(all, app(all)),
  'log of the database': (all) => logsOf(all, database(all)),
  'log of the vault': (all) => logsOf(all, vault(all)),
  'log of backups': (all) => logsOf(all, backups(all)),
  'log of files': (all) => logsOf(all, files(all)),
  'log workspace': (all) => all.find(ofType('Microsoft.OperationalInsights/workspaces')),
  plan: (all) => all.find(ofType('Microsoft.Web/serverfarms')),
} satisfies Record<string, Finder>;

/** What can stand in the first column of a table of expected values. */
export type Named = keyof typeof finders;

/**
 * One value of one resource; `undefined` when it is not set.
 *
 * @param path - below `properties`, but for `sku` and `identity`
 * @throws Error when there is no such resource
 */
export function valueIn({ resources }: Deployment, named: Named, path: string): Value | undefined {
  const found = finders[named](resources);
  if (!found) throw new Error(`there is no ${named}`);
  return at(found.body, /^(?:sku|identity)\b/.test(path) ? path : `properties.${path}`);
}

/** What each resource and module of a file waits for: the names in `dependsOn`, and `one by one` for `@batchSize(1)`. */
export function waitsOf({ statements }: BicepFile): Record<string, readonly string[]> {
  const waits = statements.flatMap((statement) => {
    if (statement.kind !== 'resource' && statement.kind !== 'module') return [];
    const oneByOne = statement.decorators.some(({ name }) => name === 'batchSize') ? ['one by one'] : [];
    const names = [...dependsOn(statement.body), ...oneByOne];
    return names.length > 0 ? [[statement.name, names] as const] : [];
  });
  return Object.fromEntries(waits);
}

function dependsOn(body: Expression): string[] {
  if (body.kind === 'if' || body.kind === 'loop') return dependsOn(body.body);
  if (body.kind !== 'object') return [];
  const isAsked = (key: Expression) => key.kind === 'text' && key.parts.join('') === 'dependsOn';
  const list = body.properties.find(({ key }) => isAsked(key))?.value;
  return list?.kind === 'list' ? list.items.flatMap((item) => (item.kind === 'name' ? [item.name] : [])) : [];
}
