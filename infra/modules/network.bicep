metadata name = 'Network'
metadata description = 'Private ways from the app to database, vault and backups. The data account has none: it stays public, for links.'

@description('Required. Name of the virtual network.')
param name string

@description('Required. Azure region.')
param location string

@description('Required. Tags.')
param tags object

@description('Required. Resource id of the database server.')
param postgresId string

@description('Required. Resource id of the vault.')
param vaultId string

@description('Required. Resource id of the backup account.')
param backupAccountId string

var services = [
  { name: 'postgres', id: postgresId, group: 'postgresqlServer', zone: 'privatelink.postgres.database.azure.com' }
  { name: 'vault', id: vaultId, group: 'vault', zone: 'privatelink.vaultcore.azure.net' }
  { name: 'backup', id: backupAccountId, group: 'blob', zone: 'privatelink.blob.${environment().suffixes.storage}' }
]

// The platform's own rules let in nothing from outside and everything out, which is what the app needs.
resource appRules 'Microsoft.Network/networkSecurityGroups@2025-05-01' = {
  name: '${name}-app'
  location: location
  tags: tags
}

resource endpointRules 'Microsoft.Network/networkSecurityGroups@2025-05-01' = {
  name: '${name}-endpoints'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'services'
        properties: {
          description: 'HTTPS, PostgreSQL and PgBouncer from inside'
          direction: 'Inbound'
          access: 'Allow'
          priority: 100
          protocol: 'Tcp'
          sourceAddressPrefix: 'VirtualNetwork'
          sourcePortRange: '*'
          destinationAddressPrefix: 'VirtualNetwork'
          destinationPortRanges: ['443', '5432', '6432']
        }
      }
      {
        name: 'nothing-else'
        properties: {
          direction: 'Inbound'
          access: 'Deny'
          priority: 4096
          protocol: '*'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: ['10.0.0.0/16'] }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: '10.0.0.0/24'
          networkSecurityGroup: { id: appRules.id }
          delegations: [{ name: 'flex-consumption', properties: { serviceName: 'Microsoft.App/environments' } }]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: '10.0.1.0/24'
          networkSecurityGroup: { id: endpointRules.id }
          // Otherwise the rules above would not hold for private endpoints.
          privateEndpointNetworkPolicies: 'NetworkSecurityGroupEnabled'
        }
      }
    ]
  }
}

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [for service in services: {
  name: service.zone
  location: 'global'
  tags: tags
}]

resource zoneLinks 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [for (service, index) in services: {
  parent: zones[index]
  name: name
  location: 'global'
  tags: tags
  properties: { registrationEnabled: false, virtualNetwork: { id: network.id } }
}]

resource endpoints 'Microsoft.Network/privateEndpoints@2025-05-01' = [for service in services: {
  name: '${name}-${service.name}'
  location: location
  tags: tags
  properties: {
    subnet: { id: '${network.id}/subnets/endpoints' }
    privateLinkServiceConnections: [
      { name: service.name, properties: { privateLinkServiceId: service.id, groupIds: [service.group] } }
    ]
  }
}]

resource addresses 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-05-01' = [for (service, index) in services: {
  parent: endpoints[index]
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [{ name: service.name, properties: { privateDnsZoneId: zones[index].id } }]
  }
}]

@description('Subnet of the app.')
output appSubnetId string = '${network.id}/subnets/app'
