metadata name = 'Function app'
metadata description = 'Flex Consumption plan, app and all its settings.'

@description('Required. Name of the app.')
param name string

@description('Required. Name of the plan.')
param planName string

@description('Required. Azure region.')
param location string

@description('Required. Tags.')
param tags object

@description('Required. Whether instances are spread over zones. It keeps two instances of each function group ready, which are billed.')
param zoneRedundant bool

@minValue(40)
@maxValue(1000)
@description('Required. Most instances of one function group: all HTTP functions are one group, each other function is its own.')
param maximumInstanceCount int

@description('Required. Name of the app’s identity.')
param identityName string

@description('Required. Name of the data account.')
param dataAccountName string

@description('Required. Container of the deployment package.')
param packageContainerName string

@description('Required. Blob service of the backup account.')
param backupBlobUri string

@description('Required. Name of the Application Insights component.')
param componentName string

@description('Required. Name of the vault.')
param vaultName string

@description('Required. Host of the database server.')
param databaseHost string

@description('Required. Name of the database.')
param databaseName string

@description('Required. Port at which requests reach the database: that of the pooler where there is one.')
param pooledPort int

@description('Required. Connections of one instance to the pooled port.')
param databasePoolSize int

@description('Required. Connections of one instance to the database itself, for reports and backups.')
param databaseDirectPoolSize int

@description('Required. Value of `ENVIRONMENT`.')
param environmentKind string

@description('Required. Origins, comma separated, whose browsers may call the API.')
param corsOrigins string

@description('Required. Settings beside those below, which win.')
param furtherSettings object

@description('Required. Subnet through which the app calls others; empty for none.')
param subnetId string

@description('Required. Log Analytics workspace.')
param workspaceId string

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

resource dataAccount 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: dataAccountName
}

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: vaultName
}

// The function groups of the app. With zone redundancy the platform keeps two instances of each ready whatever stands
// here; writing it down shows what is paid for.
var functionGroups = ['http', 'function:backup-nightly', 'function:jobs', 'function:maintenance']
var databaseServer = 'postgresql://${identityName}@${databaseHost}'

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true, zoneRedundant: zoneRedundant }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  // By this tag azd finds the app; its value is the name of the service in azure.yaml.
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identity.id}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    keyVaultReferenceIdentity: identity.id
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    outboundVnetRouting: empty(subnetId) ? null : { allTraffic: true }
    // No `cors`: the app answers preflight requests itself, and the platform would answer before it. No `ftpsState` and
    // the like: Flex Consumption has no FTP, and refuses settings that mean nothing there (error 51021).
    siteConfig: { minTlsVersion: '1.2', scmMinTlsVersion: '1.2', http20Enabled: true }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${dataAccount.properties.primaryEndpoints.blob}${packageContainerName}'
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identity.id }
        }
      }
      runtime: { name: 'node', version: '24' }
      scaleAndConcurrency: {
        instanceMemoryMB: 2048
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: [for group in (zoneRedundant ? functionGroups : []): { name: group, instanceCount: 2 }]
        triggers: { http: { perInstanceConcurrency: 16 } }
      }
    }
  }

  resource ftp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  resource scm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }

  // All settings there are: what was set by hand is gone after this. None of these is a secret: who we are is proven by the
  // identity, and SECRET_KEY is only the name of one. Which settings the app knows stands in src/lib/config/settings; a
  // test holds the two together.
  resource settings 'config' = {
    name: 'appsettings'
    properties: union(furtherSettings, {
      ENVIRONMENT: environmentKind
      CORS_ORIGINS: corsOrigins
      // Without a version: the newest one counts. A reference that cannot be resolved reaches the app as this text.
      SECRET_KEY: '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/secret-key)'
      // For USE_SECRETS_MANAGER, with which the app reads the vault itself.
      KEY_VAULT_URL: vault.properties.vaultUri

      AZURE_CLIENT_ID: identity.properties.clientId
      AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential'

      AzureWebJobsStorage__credential: 'managedidentity'
      AzureWebJobsStorage__clientId: identity.properties.clientId
      AzureWebJobsStorage__blobServiceUri: dataAccount.properties.primaryEndpoints.blob
      AzureWebJobsStorage__queueServiceUri: dataAccount.properties.primaryEndpoints.queue
      AzureWebJobsStorage__tableServiceUri: dataAccount.properties.primaryEndpoints.table
      BACKUP_STORAGE_BLOB_URI: backupBlobUri

      // No password: a token of the identity is one. It is sent over a verified connection only.
      DATABASE_URL: '${databaseServer}:${pooledPort}/${databaseName}?sslmode=verify-full'
      DATABASE_DIRECT_URL: '${databaseServer}:5432/${databaseName}?sslmode=verify-full'
      DATABASE_POOL_SIZE: string(databasePoolSize)
      DATABASE_DIRECT_POOL_SIZE: string(databaseDirectPoolSize)
      BACKUP_DATABASE_ROLE: 'backup'

      APPLICATIONINSIGHTS_CONNECTION_STRING: component.properties.ConnectionString
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.properties.clientId};Authorization=AAD'
      // The exporter would count itself, every 15 minutes, to an endpoint of Microsoft that a closed network does not reach.
      APPLICATION_INSIGHTS_NO_STATSBEAT: 'true'
      // The host sends to a collector as well where there is one, by gRPC if not told otherwise; the app only speaks HTTP.
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf'
      AzureWebJobsDisableHomepage: 'true'
    })
  }
}

// What the host says, also when it does not get as far as Application Insights.
resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: app
  name: 'logs'
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'FunctionAppLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('Name of the app.')
output name string = app.name

@description('Address of the app, without a slash at its end.')
output uri string = 'https://${app.properties.defaultHostName}'
