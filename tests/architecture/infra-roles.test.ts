import { describe, expect, it } from 'vitest';
import type { DeployedResource } from './reading/bicep/declaration.ts';
import { at } from './reading/bicep/values.ts';
import { deployInfra, edited, type Variant, variants } from './reading/infra.ts';
import { readText } from './reading/project-files.ts';

/** https://learn.microsoft.com/azure/role-based-access-control/built-in-roles, copied and not read from the templates. */
const builtInRoles: Readonly<Record<string, string>> = {
  'b86a8fe4-44ce-4948-aee5-eccb2c155cd7': 'Key Vault Secrets Officer',
  '4633458b-17de-408a-b874-0445c86b69e6': 'Key Vault Secrets User',
  '3913510d-42f4-4e42-8a64-420c390055eb': 'Monitoring Metrics Publisher',
  'ba92f5b4-2d11-453d-a403-e96b0029c9fe': 'Storage Blob Data Contributor',
  'b7e6dc6d-f1e8-4753-8033-0f276bb0955b': 'Storage Blob Data Owner',
  'db58b8e5-c6ad-4a2a-8342-4190687cbf4a': 'Storage Blob Delegator',
  '974c5e8b-45b9-4653-ba55-5f855dd0fb88': 'Storage Queue Data Contributor',
  '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3': 'Storage Table Data Contributor',
};
const principals: Readonly<Record<string, string>> = {
  '22222222-2222-4222-8222-222222222222': 'app',
  '44444444-4444-4444-8444-444444444444': 'deployer',
};
const accounts = 'Microsoft.Storage/storageAccounts';
const places: Readonly<Record<string, string>> = {
  [`${accounts}/stabcdefghijklm`]: 'data account',
  [`${accounts}/stbkabcdefghijklm`]: 'backup account',
  [`${accounts}/stbkabcdefghijklm/blobServices/default/containers/crownsafe-backups`]: 'container of backups',
  [`${accounts}/stbkabcdefghijklm/blobServices/default/containers/crownsafe-audit`]: 'container of seals',
  'Microsoft.KeyVault/vaults/kv-abcdefghijklm': 'vault',
  'Microsoft.Insights/components/appi-abcdefghijklm': 'telemetry',
};

/** All rights there are. Whoever changes a line here changes who may do what. */
const rights = [
  'app: Key Vault Secrets User on vault',
  'app: Monitoring Metrics Publisher on telemetry',
  'app: Storage Blob Data Contributor on container of backups',
  'app: Storage Blob Data Contributor on container of seals',
  'app: Storage Blob Data Owner on data account',
  'app: Storage Blob Delegator on backup account',
  'app: Storage Queue Data Contributor on data account',
  'app: Storage Table Data Contributor on data account',
  'deployer: Key Vault Secrets Officer on vault',
];

function rightOf({ scope, body }: DeployedResource): string {
  const principal = String(at(body, 'properties.principalId'));
  const role = String(at(body, 'properties.roleDefinitionId')).split('/').at(-1) ?? '';
  const place = scope ?? 'the whole group';
  return `${principals[principal] ?? principal}: ${builtInRoles[role] ?? role} on ${places[place] ?? place}`;
}

const assignmentsIn = (variant: Variant, readFile = readText) =>
  deployInfra(variant, readFile).resources.filter(
    ({ type }) => type === 'Microsoft.Authorization/roleAssignments',
  );

const rightsOf = (variant: Variant, readFile = readText) =>
  assignmentsIn(variant, readFile).map(rightOf).sort();

const open: Variant = { profile: 'dev', networkClosed: false };

describe('the rights that the templates give', () => {
  it.each(variants)(
    'are these and no others: $profile, closed $networkClosed to $allowedIpRanges',
    (variant) => {
      expect(rightsOf(variant)).toEqual(rights);
    },
  );

  // Azure refuses the same right under another name, and a name that means another right.
  it('are named after place, principal and role', () => {
    for (const { name, scope, body } of assignmentsIn(open)) {
      const role = String(at(body, 'properties.roleDefinitionId')).split('/').at(-1);

      expect(name).toBe(`guid(${scope} ${at(body, 'properties.principalId')} ${role})`);
    }
  });

  it.each([
    ['modules/rbac', 'db58b8e5-c6ad-4a2a-8342-4190687cbf4a', 'b24988ac-6180-42a0-ab88-20f7382dd24c'],
    ['modules/rbac', 'scope: backupAccount::blobs::backups\n', 'scope: backupAccount\n'],
    ['main', 'deployerPrincipalId: deployerPrincipalId', 'deployerPrincipalId: identity.outputs.principalId'],
  ])('are others when %s.bicep has not %s but %s', (name, from, to) => {
    expect(rightsOf(open, edited(`infra/${name}.bicep`, from, to))).not.toEqual(rights);
  });
});
