metadata name = 'Database'
metadata description = 'PostgreSQL flexible server with Entra logins only. The roles inside are made by the deployment hook: the template language knows administrators and nothing below them.'

@description('Required. Name of the server.')
param name string

@description('Required. Azure region.')
param location string

@description('Required. Tags.')
param tags object

@description('Required. Compute size.')
param skuName string

@allowed(['Burstable', 'GeneralPurpose'])
@description('Required. Compute tier of that size. Burstable has neither PgBouncer nor high availability.')
param tier string

@allowed(['Disabled', 'ZoneRedundant'])
@description('Required. High availability.')
param highAvailability string

@allowed(['Disabled', 'Enabled'])
@description('Required. Geo-redundant backup. It can be chosen only when the server is made.')
param geoRedundantBackup string

@minValue(7)
@maxValue(35)
@description('Required. Days back to which the server can be restored.')
param restoreDays int

@description('Required. Object id of the administrator.')
param adminObjectId string

@description('Required. Name of the administrator.')
param adminName string

@allowed(['User', 'Group', 'ServicePrincipal'])
@description('Required. What the administrator is.')
param adminType string

@description('Required. Whether the server is reached through a private endpoint only, deployers excepted.')
param networkClosed bool

// Each has its rule below, by number.
@maxLength(4)
@description('Required. Networks of deployers.')
param ipRanges string[]

@description('Required. Log Analytics workspace.')
param workspaceId string

@description('Required. Whether the server is protected against deletion.')
param locked bool

var isPooled = tier != 'Burstable'
// In this order, since the parameters of PgBouncer exist only after it is on. `items()` of an object would sort them.
var parameters = concat(
  [
    { name: 'require_secure_transport', value: 'on' }
    { name: 'ssl_min_protocol_version', value: 'TLSv1.2' }
  ],
  isPooled
    ? [
        { name: 'pgbouncer.enabled', value: 'true' }
        { name: 'pgbouncer.default_pool_size', value: '50' }
        { name: 'pgbouncer.max_client_conn', value: '5000' }
      ]
    : []
)

var isPublic = !networkClosed || !empty(ipRanges)
// Deploying never takes a rule away, so each is there whenever the server has a public address at all. One that is to let
// nobody in names an address from which nobody can come: it is reserved for documents (RFC 5737).
var nobody = '192.0.2.0/32'
var azureMachinesAddress = networkClosed ? parseCidr(nobody).network : '0.0.0.0'
var deployerNetworks = take(concat(ipRanges, [nobody, nobody, nobody, nobody]), 4)

resource server 'Microsoft.DBforPostgreSQL/flexibleServers@2025-08-01' = {
  name: name
  location: location
  tags: tags
  sku: { name: skuName, tier: tier }
  properties: {
    // The newest that both Azure offers and the pg_dump in the package can dump.
    version: '18'
    createMode: 'Default'
    authConfig: { activeDirectoryAuth: 'Enabled', passwordAuth: 'Disabled', tenantId: tenant().tenantId }
    storage: { storageSizeGB: 32, autoGrow: 'Enabled' }
    backup: { backupRetentionDays: restoreDays, geoRedundantBackup: geoRedundantBackup }
    highAvailability: { mode: highAvailability }
    network: { publicNetworkAccess: isPublic ? 'Enabled' : 'Disabled' }
    // Away from the nightly backup at 02:00 UTC.
    maintenanceWindow: { customWindow: 'Enabled', dayOfWeek: 0, startHour: 5, startMinute: 0 }
  }
}

// The server refuses a change while another one is under way, so each waits for the one before.
resource database 'Microsoft.DBforPostgreSQL/flexibleServers/databases@2025-08-01' = {
  parent: server
  name: 'crownsafe'
  properties: { charset: 'UTF8', collation: 'en_US.utf8' }
}

@batchSize(1)
resource configurations 'Microsoft.DBforPostgreSQL/flexibleServers/configurations@2025-08-01' = [for parameter in parameters: {
  parent: server
  name: parameter.name
  properties: { value: parameter.value, source: 'user-override' }
  dependsOn: [database]
}]

resource administrator 'Microsoft.DBforPostgreSQL/flexibleServers/administrators@2025-08-01' = {
  parent: server
  name: adminObjectId
  properties: { principalName: adminName, principalType: adminType, tenantId: tenant().tenantId }
  dependsOn: [configurations]
}

// The app has no address of its own while the network is open. The rule lets in every machine in Azure, and each still
// needs a token of this tenant for a role of this server.
resource azureMachines 'Microsoft.DBforPostgreSQL/flexibleServers/firewallRules@2025-08-01' = if (isPublic) {
  parent: server
  name: 'AllowAllAzureServicesAndResourcesWithinAzureIps'
  properties: { startIpAddress: azureMachinesAddress, endIpAddress: azureMachinesAddress }
  dependsOn: [administrator]
}

@batchSize(1)
resource deployers 'Microsoft.DBforPostgreSQL/flexibleServers/firewallRules@2025-08-01' = [for (range, index) in deployerNetworks: if (isPublic) {
  parent: server
  name: 'deployers-${index}'
  properties: { startIpAddress: parseCidr(range).network, endIpAddress: parseCidr(range).broadcast }
  dependsOn: [azureMachines]
}]

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: server
  name: 'logs'
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (locked) {
  scope: server
  name: 'keep-database'
  properties: { level: 'CanNotDelete', notes: 'Holds the database; its own backups go with it.' }
  dependsOn: [deployers]
}

@description('Resource id of the server.')
output id string = server.id

@description('Host of the server.')
output host string = server.properties.fullyQualifiedDomainName

@description('Port of the pooler where there is one, else that of the server.')
output pooledPort int = isPooled ? 6432 : 5432

@description('Name of the database.')
output databaseName string = database.name
