import type { DeployedResource } from '../reading/bicep/declaration.ts';
import type { Deployment } from '../reading/bicep/deployment.ts';
import { at, isList, isValues, type Value } from '../reading/bicep/values.ts';
import type { Variant } from '../reading/infra.ts';
import { accountOf, labelOf } from './infra-security.ts';

/** Hourly backups are kept for two days; the app must be able to delete them then. */
const shortestRetentionDays = 2;
/** A trail is looked back on over a year. */
const sealDays = 365;
/** Of purged files, for the owner of the account only. */
const softDeleteDays = 7;

/** What would keep, hide or delete data against the app, which is the only one that deletes. */
export function dataFaults({ resources }: Deployment): string[] {
  return [
    ...resources.filter(({ type }) => type.endsWith('/blobServices')).flatMap(blobServiceFaults),
    ...resources.filter(({ type }) => type.endsWith('/managementPolicies')).flatMap(lifecycleFaults),
    ...immutabilityFaults(resources),
  ];
}

function blobServiceFaults(service: DeployedResource): string[] {
  const { body } = service;
  const kept = ['deleteRetentionPolicy', 'containerDeleteRetentionPolicy'].filter(
    (policy) =>
      at(body, `properties.${policy}.enabled`) !== true ||
      at(body, `properties.${policy}.days`) !== softDeleteDays,
  );
  const hidden = ['isVersioningEnabled', 'changeFeed.enabled', 'restorePolicy.enabled'].filter(
    (switched) => at(body, `properties.${switched}`) === true,
  );
  const label = `${service.file} ${service.id}`;
  return [
    ...kept.map((policy) => `${label}: ${policy} is not ${softDeleteDays} days`),
    ...hidden.map((switched) => `${label}: ${switched} keeps what the app has deleted`),
  ];
}

function lifecycleFaults(policy: DeployedResource): string[] {
  return deletes(policy.body) ? [`${labelOf(policy)}: deletes, as only the app may`] : [];
}

function deletes(value: Value | undefined): boolean {
  if (isList(value)) return value.some(deletes);
  return isValues(value) && ('delete' in value || Object.values(value).some(deletes));
}

function immutabilityFaults(resources: readonly DeployedResource[]): string[] {
  const policies = resources.filter(({ type }) => type.endsWith('/immutabilityPolicies'));
  const of = (container: string) => {
    const account = accountOf(resources, container)?.id ?? 'a missing account';
    return policies.filter(({ id }) => id.startsWith(`${account}/`) && id.includes(`/${container}/`));
  };
  const [ofBackups, ofSeals] = [of('crownsafe-backups'), of('crownsafe-audit')];
  return [
    ...(ofBackups.length === 1 ? [] : ['the backups are not immutable']),
    ...(ofSeals.length === 1 ? [] : ['the seals of the audit trail are not immutable']),
    ...policies
      .filter((policy) => !ofBackups.includes(policy) && !ofSeals.includes(policy))
      .map((policy) => `${policy.id}: only backups and seals are immutable`),
    ...ofBackups.flatMap((policy) =>
      daysOf(policy) <= shortestRetentionDays
        ? []
        : [`${labelOf(policy)}: backups are immutable for longer than the shortest are kept`],
    ),
    ...ofSeals.flatMap((policy) =>
      daysOf(policy) >= sealDays ? [] : [`${labelOf(policy)}: seals are immutable for less than a year`],
    ),
  ];
}

function daysOf(policy: DeployedResource): number {
  return Number(at(policy.body, 'properties.immutabilityPeriodSinceCreationInDays'));
}

/** Locks in `prod` on all that holds what cannot be made again, nowhere else: they stand in the way of tearing down. */
export function lockFaults({ resources }: Deployment, { profile }: Variant): string[] {
  const locks = resources.filter(({ type }) => type === 'Microsoft.Authorization/locks');
  if (profile === 'dev') return locks.map((lock) => `${labelOf(lock)}: dev has no locks`);
  const kept = [
    'Microsoft.Storage/storageAccounts',
    'Microsoft.DBforPostgreSQL/flexibleServers',
    'Microsoft.KeyVault/vaults',
  ];
  const locked = locks
    .filter(({ body }) => at(body, 'properties.level') === 'CanNotDelete')
    .map(({ scope }) => scope);
  return resources
    .filter(({ type, id }) => kept.includes(type) && !locked.includes(id))
    .map((resource) => `${labelOf(resource)}: can be deleted by mistake`);
}

/** Logs of what is asked of whom. */
export function logFaults({ resources }: Deployment): string[] {
  const watched = [
    'Microsoft.Storage/storageAccounts/blobServices',
    'Microsoft.DBforPostgreSQL/flexibleServers',
    'Microsoft.KeyVault/vaults',
    'Microsoft.Web/sites',
  ];
  const logged = resources
    .filter(({ type }) => type === 'Microsoft.Insights/diagnosticSettings')
    .map(({ scope }) => scope);
  return resources
    .filter(({ type, id }) => watched.includes(type) && !logged.includes(id))
    .map(({ id }) => `${id}: nothing is logged`);
}
