metadata name = 'Crown Safe Functions'
metadata description = 'One environment of the service: function app, storage, database, vault and monitoring in one resource group.'

targetScope = 'subscription'

@minLength(1)
@maxLength(64)
@description('Required. Name of the azd environment: part of the name of the resource group, and tag of every resource.')
param environmentName string

@minLength(1)
@description('Required. Azure region. It must offer Flex Consumption and, for the profile `prod`, availability zones and a paired region.')
@metadata({ azd: { type: 'location' } })
param location string

@allowed(['dev', 'prod'])
@description('Optional. What is paid for: `dev` costs little at idle; `prod` has redundancy, locks and more instances.')
param profile string = 'dev'

@allowed(['staging', 'production'])
@description('Optional. What the app is told it is (setting `ENVIRONMENT`).')
param environmentKind string = 'production'

@description('Optional. Whether database, vault and backups are reached through a private network only. The data account stays reachable either way: links lead to it.')
param networkClosed bool = false

@description('Optional. Up to four networks (CIDR, comma separated; a single address as /32) from which deployers reach database and vault, also when the network is closed.')
param allowedIpRanges string = ''

@minLength(36)
@maxLength(36)
@description('Required. Object id of the Entra user, group or application that administers the database. Passwords are off: without it nobody could log in.')
param databaseAdminObjectId string

@minLength(1)
@description('Required. Name of that administrator as Entra shows it: user principal name, group name or application name.')
param databaseAdminName string

@allowed(['User', 'Group', 'ServicePrincipal'])
@description('Optional. What that administrator is. With a group, persons and a pipeline can deploy alike.')
param databaseAdminType string = 'User'

@minLength(36)
@maxLength(36)
@description('Required. Object id of whoever deploys, who may then make the secret in the vault. A parameter and not `deployer()`, because azd skips what has the same parameters as the last time.')
param deployerPrincipalId string

@description('Optional. Origins, comma separated, whose browsers may call the API and upload straight to storage.')
param corsOrigins string = ''

@description('Optional. Whether the owner has locked the immutability of the backups. From then on Azure refuses to be told of it again.')
param backupsLocked bool = false

@description('Optional. More settings of the app, as `NAME=value` separated by semicolons. No secrets: those are named by references to a vault. What these templates set themselves stays as it is.')
param furtherSettings string = ''

// Everything a profile stands for. Pool sizes and instances are bound to the connections of the server:
// docs/decisions/infrastructure.md has the sum, and a test holds it.
var profiles = {
  dev: {
    dataRedundancy: 'Standard_LRS'
    backupRedundancy: 'Standard_LRS'
    databaseSku: 'Standard_B2s'
    databaseTier: 'Burstable'
    databaseHighAvailability: 'Disabled'
    databaseGeoBackup: 'Disabled'
    databaseRestoreDays: 7
    databasePoolSize: 2
    databaseDirectPoolSize: 1
    maximumInstanceCount: 40
    zoneRedundant: false
    logQuotaGbPerDay: 1
    locked: false
  }
  prod: {
    dataRedundancy: 'Standard_ZRS'
    backupRedundancy: 'Standard_GZRS'
    databaseSku: 'Standard_D2ds_v5'
    databaseTier: 'GeneralPurpose'
    databaseHighAvailability: 'ZoneRedundant'
    databaseGeoBackup: 'Enabled'
    databaseRestoreDays: 35
    databasePoolSize: 10
    databaseDirectPoolSize: 2
    maximumInstanceCount: 60
    zoneRedundant: true
    logQuotaGbPerDay: -1
    locked: true
  }
}
var chosen = profiles[profile]

var abbreviations = loadJsonContent('abbreviations.json')
var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = { 'azd-env-name': environmentName }
var ipRanges = filter(map(split(allowedIpRanges, ','), range => trim(range)), range => !empty(range))
var browserOrigins = filter(map(split(corsOrigins, ','), origin => trim(origin)), origin => !empty(origin))
var settingPairs = filter(map(split(furtherSettings, ';'), pair => trim(pair)), pair => !empty(pair))

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: '${abbreviations.resourceGroup}${environmentName}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  scope: group
  params: {
    name: '${abbreviations.managedIdentity}api-${token}'
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  params: {
    workspaceName: '${abbreviations.logAnalytics}${token}'
    componentName: '${abbreviations.applicationInsights}${token}'
    location: location
    tags: tags
    quotaGbPerDay: chosen.logQuotaGbPerDay
  }
}

module dataStorage 'modules/data-storage.bicep' = {
  scope: group
  params: {
    name: '${abbreviations.storageAccount}${token}'
    location: location
    tags: tags
    redundancy: chosen.dataRedundancy
    browserOrigins: browserOrigins
    workspaceId: monitoring.outputs.workspaceId
    locked: chosen.locked
  }
}

module backupStorage 'modules/backup-storage.bicep' = {
  scope: group
  params: {
    name: '${abbreviations.storageAccount}bk${token}'
    location: location
    tags: tags
    redundancy: chosen.backupRedundancy
    networkClosed: networkClosed
    policyLocked: backupsLocked
    workspaceId: monitoring.outputs.workspaceId
    locked: chosen.locked
  }
}

module postgres 'modules/postgres.bicep' = {
  scope: group
  params: {
    name: '${abbreviations.postgresServer}${token}'
    location: location
    tags: tags
    skuName: chosen.databaseSku
    tier: chosen.databaseTier
    highAvailability: chosen.databaseHighAvailability
    geoRedundantBackup: chosen.databaseGeoBackup
    restoreDays: chosen.databaseRestoreDays
    adminObjectId: databaseAdminObjectId
    adminName: databaseAdminName
    adminType: databaseAdminType
    networkClosed: networkClosed
    ipRanges: ipRanges
    workspaceId: monitoring.outputs.workspaceId
    locked: chosen.locked
  }
}

module keyVault 'modules/keyvault.bicep' = {
  scope: group
  params: {
    name: '${abbreviations.keyVault}${token}'
    location: location
    tags: tags
    networkClosed: networkClosed
    ipRanges: ipRanges
    workspaceId: monitoring.outputs.workspaceId
    locked: chosen.locked
  }
}

module network 'modules/network.bicep' = if (networkClosed) {
  scope: group
  params: {
    name: '${abbreviations.virtualNetwork}${token}'
    location: location
    tags: tags
    postgresId: postgres.outputs.id
    vaultId: keyVault.outputs.id
    backupAccountId: backupStorage.outputs.id
  }
}

module rbac 'modules/rbac.bicep' = {
  scope: group
  params: {
    dataAccountName: dataStorage.outputs.name
    backupAccountName: backupStorage.outputs.name
    backupContainerName: backupStorage.outputs.containerName
    auditContainerName: backupStorage.outputs.auditContainerName
    vaultName: keyVault.outputs.name
    componentName: monitoring.outputs.componentName
    appPrincipalId: identity.outputs.principalId
    deployerPrincipalId: deployerPrincipalId
  }
}

module api 'modules/functionapp.bicep' = {
  scope: group
  params: {
    name: '${abbreviations.functionApp}api-${token}'
    planName: '${abbreviations.functionPlan}${token}'
    location: location
    tags: tags
    zoneRedundant: chosen.zoneRedundant
    maximumInstanceCount: chosen.maximumInstanceCount
    identityName: identity.outputs.name
    dataAccountName: dataStorage.outputs.name
    packageContainerName: dataStorage.outputs.packageContainerName
    backupBlobUri: backupStorage.outputs.blobUri
    componentName: monitoring.outputs.componentName
    vaultName: keyVault.outputs.name
    databaseHost: postgres.outputs.host
    databaseName: postgres.outputs.databaseName
    pooledPort: postgres.outputs.pooledPort
    databasePoolSize: chosen.databasePoolSize
    databaseDirectPoolSize: chosen.databaseDirectPoolSize
    environmentKind: environmentKind
    corsOrigins: join(browserOrigins, ',')
    // A value may hold `=`, as references to a vault do.
    furtherSettings: toObject(settingPairs, pair => split(pair, '=')[0], pair => join(skip(split(pair, '='), 1), '='))
    subnetId: networkClosed ? network!.outputs.appSubnetId : ''
    workspaceId: monitoring.outputs.workspaceId
  }
  // The app reads its package and its secret as soon as it exists.
  dependsOn: [rbac]
}

@description('Region of everything.')
output AZURE_LOCATION string = location

@description('Entra tenant, for logging in to the database.')
output AZURE_TENANT_ID string = tenant().tenantId

@description('Resource group of the environment.')
output AZURE_RESOURCE_GROUP string = group.name

@description('Name of the function app.')
output SERVICE_API_NAME string = api.outputs.name

@description('Address of the API, without a slash at its end.')
output SERVICE_API_URI string = api.outputs.uri

@description('Name of the vault that holds the secret `secret-key`.')
output AZURE_KEY_VAULT_NAME string = keyVault.outputs.name

@description('Address of that vault.')
output AZURE_KEY_VAULT_URI string = keyVault.outputs.uri

@description('Host of the database server; deployers connect to port 5432.')
output POSTGRES_HOST string = postgres.outputs.host

@description('Name of the database.')
output POSTGRES_DATABASE string = postgres.outputs.databaseName

@description('Name of the administrator, which is the user a deployer logs in as.')
output DATABASE_ADMIN_NAME string = databaseAdminName

@description('Name of the app’s identity, which is its login role in the database.')
output APP_IDENTITY_NAME string = identity.outputs.name

@description('Object id of the app’s identity, to which the login role is bound.')
output APP_IDENTITY_PRINCIPAL_ID string = identity.outputs.principalId

@description('Name of the data account.')
output AZURE_STORAGE_ACCOUNT_NAME string = dataStorage.outputs.name
