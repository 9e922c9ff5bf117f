import { describe, expect, it } from 'vitest';
import { accountOf } from './checks/infra-security.ts';
import type { Deployment } from './reading/bicep/deployment.ts';
import { at, listOf } from './reading/bicep/values.ts';
import { deployInfra, someRanges, type Variant } from './reading/infra.ts';

const bodyOf = ({ resources }: Deployment, type: string) =>
  resources.find((resource) => resource.type === type)?.body;
const server = 'Microsoft.DBforPostgreSQL/flexibleServers';
const variantOf = (networkClosed: boolean, allowedIpRanges: string): Variant => ({
  profile: 'prod',
  networkClosed,
  allowedIpRanges,
});

/** Rules of the database by name; `first` alone where one address is meant. */
function firewallOf({ resources }: Deployment): Record<string, string> {
  const rules = resources.filter(({ type }) => type === `${server}/firewallRules`);
  return Object.fromEntries(
    rules.map(({ name, body }) => {
      const [first, last] = [at(body, 'properties.startIpAddress'), at(body, 'properties.endIpAddress')];
      return [
        name.replace('AllowAllAzureServicesAndResourcesWithinAzureIps', 'azure'),
        first === last ? `${first}` : `${first}-${last}`,
      ];
    }),
  );
}

/** An address of RFC 5737, from which nobody comes. */
const nobody = '192.0.2.0';
const unused = { 'deployers-0': nobody, 'deployers-1': nobody, 'deployers-2': nobody, 'deployers-3': nobody };
const used = { ...unused, 'deployers-0': '203.0.113.7', 'deployers-1': '198.51.100.0-198.51.100.255' };
const vaultRules = [{ value: '203.0.113.7/32' }, { value: '198.51.100.0/24' }];

describe('who reaches what', () => {
  it.each<[closed: boolean, ranges: string, Record<string, unknown>]>([
    [
      false,
      '',
      { database: 'Enabled', firewall: { azure: '0.0.0.0', ...unused }, vault: 'Enabled', others: 'Allow' },
    ],
    [
      false,
      someRanges,
      {
        database: 'Enabled',
        firewall: { azure: '0.0.0.0', ...used },
        vault: 'Enabled',
        others: 'Allow',
        vaultRules,
      },
    ],
    [true, '', { database: 'Disabled', firewall: {}, vault: 'Disabled', others: 'Deny' }],
    [
      true,
      someRanges,
      {
        database: 'Enabled',
        firewall: { azure: nobody, ...used },
        vault: 'Enabled',
        others: 'Deny',
        vaultRules,
      },
    ],
  ])('is decided by the switch and the ranges: closed %s, to "%s"', (closed, ranges, expected) => {
    const deployment = deployInfra(variantOf(closed, ranges));
    const vault = bodyOf(deployment, 'Microsoft.KeyVault/vaults');
    const backups = accountOf(deployment.resources, 'crownsafe-backups')?.body;

    expect({
      database: at(bodyOf(deployment, server), 'properties.network.publicNetworkAccess'),
      firewall: firewallOf(deployment),
      vault: at(vault, 'properties.publicNetworkAccess'),
      others: at(vault, 'properties.networkAcls.defaultAction'),
      vaultRules: at(vault, 'properties.networkAcls.ipRules'),
    }).toEqual({ vaultRules: [], ...expected });
    expect([
      at(backups, 'properties.publicNetworkAccess'),
      at(backups, 'properties.networkAcls'),
      at(vault, 'properties.networkAcls.bypass'),
    ]).toEqual([
      closed ? 'Disabled' : 'Enabled',
      { defaultAction: closed ? 'Deny' : 'Allow', bypass: 'None' },
      'None',
    ]);
  });

  it('writes every firewall rule each time, since deploying takes none away', () => {
    const names = [variantOf(false, ''), variantOf(false, someRanges), variantOf(true, someRanges)].map(
      (variant) => Object.keys(firewallOf(deployInfra(variant))),
    );

    expect(new Set(names.map(String)).size).toBe(1);
  });

  it('is refused for more networks than there are rules, and for what is none', () => {
    const five = Array.from({ length: 5 }, (_, index) => `203.0.113.${index}/32`).join(',');

    expect(() => deployInfra(variantOf(false, five))).toThrow('breaks @maxLength');
    expect(() => deployInfra(variantOf(false, '203.0.113.7'))).toThrow('is no network');
  });
});

describe('the network of the app', () => {
  const site = (closed: boolean) => bodyOf(deployInfra(variantOf(closed, '')), 'Microsoft.Web/sites');

  it('is its subnet, for everything it calls, when closed, and none when open', () => {
    const [closed, open] = [site(true), site(false)];

    expect(at(closed, 'properties.virtualNetworkSubnetId')).toBe(
      'Microsoft.Network/virtualNetworks/vnet-abcdefghijklm/subnets/app',
    );
    expect(at(closed, 'properties.outboundVnetRouting')).toEqual({ allTraffic: true });
    expect([
      at(open, 'properties.virtualNetworkSubnetId'),
      at(open, 'properties.outboundVnetRouting'),
    ]).toEqual([null, null]);
  });

  it('lets private endpoints be reached from inside, at three ports', () => {
    const { resources } = deployInfra(variantOf(true, ''));
    const rules = (name: string) =>
      listOf(
        at(resources.find((resource) => resource.name === name)?.body, 'properties.securityRules') ?? [],
      ).map((rule) =>
        ['priority', 'access', 'sourceAddressPrefix', 'destinationPortRanges', 'destinationPortRange']
          .map((key) => at(rule, `properties.${key}`))
          .filter((value) => value !== undefined),
      );

    expect(rules('vnet-abcdefghijklm-app')).toEqual([]);
    expect(rules('vnet-abcdefghijklm-endpoints')).toEqual([
      [100, 'Allow', 'VirtualNetwork', ['443', '5432', '6432']],
      [4096, 'Deny', '*', '*'],
    ]);
  });

  it('has a subnet for Flex Consumption, and one where the rules hold for private endpoints', () => {
    const network = bodyOf(deployInfra(variantOf(true, '')), 'Microsoft.Network/virtualNetworks');
    const rulesOf = (name: string) => ({
      id: `Microsoft.Network/networkSecurityGroups/vnet-abcdefghijklm-${name}`,
    });

    expect(at(network, 'properties.subnets')).toMatchObject([
      {
        name: 'app',
        properties: {
          networkSecurityGroup: rulesOf('app'),
          delegations: [{ properties: { serviceName: 'Microsoft.App/environments' } }],
        },
      },
      {
        name: 'endpoints',
        properties: {
          networkSecurityGroup: rulesOf('endpoints'),
          privateEndpointNetworkPolicies: 'NetworkSecurityGroupEnabled',
        },
      },
    ]);
  });
});
