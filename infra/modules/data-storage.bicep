metadata name = 'Data account'
metadata description = 'Uploads, trash, reports, locks, the job queues, the catalogue of backups, cached values, orders for circuit breakers, and what the Functions host keeps.'

@minLength(3)
@maxLength(24)
@description('Required. Name of the account.')
param name string

@description('Required. Azure region.')
param location string

@description('Required. Tags.')
param tags object

@allowed(['Standard_LRS', 'Standard_ZRS'])
@description('Required. Redundancy. A zone-redundant function app needs zone-redundant storage.')
param redundancy string

@description('Required. Origins whose browsers may upload and download by links.')
param browserOrigins string[]

@description('Required. Log Analytics workspace of the audit log.')
param workspaceId string

@description('Required. Whether the account is protected against deletion.')
param locked bool

// How long the owner of the account can get back what the app has deleted for good.
var softDeleteDays = 7
var packageContainerName = 'app-package'
var containerNames = ['crownsafe-images', 'crownsafe-trash', 'crownsafe-reports', 'crownsafe-locks', packageContainerName]

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: redundancy }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    isLocalUserEnabled: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    // Open on purpose, whatever the network switch says: the links the app gives out lead here. Nobody gets in without
    // an Entra token or a link signed by one.
    publicNetworkAccess: 'Enabled'
    networkAcls: { defaultAction: 'Allow', bypass: 'None' }
    // The longest life of a link that the app gives out. A longer one is not ours; it shows in the audit log.
    sasPolicy: { sasExpirationPeriod: '6.00:00:00', expirationAction: 'Log' }
  }
}

// No versions, change feed or point-in-time restore, and no lifecycle rule: the app is the only one who deletes, and
// what it has purged must be gone when the soft delete is over.
resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {
    isVersioningEnabled: false
    changeFeed: { enabled: false }
    restorePolicy: { enabled: false }
    deleteRetentionPolicy: { enabled: true, days: softDeleteDays }
    containerDeleteRetentionPolicy: { enabled: true, days: softDeleteDays }
    cors: {
      corsRules: empty(browserOrigins)
        ? []
        : [
            {
              allowedOrigins: browserOrigins
              allowedMethods: ['GET', 'HEAD', 'PUT', 'OPTIONS']
              allowedHeaders: ['content-type', 'content-md5', 'if-match', 'if-none-match', 'range', 'x-ms-*']
              exposedHeaders: ['accept-ranges', 'content-disposition', 'content-length', 'content-range', 'etag', 'x-ms-*']
              maxAgeInSeconds: 3600
            }
          ]
    }
  }
}

resource containers 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = [for containerName in containerNames: {
  parent: blobs
  name: containerName
  properties: { publicAccess: 'None' }
}]

resource queues 'Microsoft.Storage/storageAccounts/queueServices@2025-06-01' = {
  parent: account
  name: 'default'

  resource jobs 'queues' = {
    name: 'jobs'
  }

  resource poisonJobs 'queues' = {
    name: 'jobs-poison'
  }
}

resource tables 'Microsoft.Storage/storageAccounts/tableServices@2025-06-01' = {
  parent: account
  name: 'default'

  resource backupCatalogue 'tables' = {
    name: 'crownsafebackups'
  }

  resource cache 'tables' = {
    name: 'crownsafecache'
  }

  resource breakerOrders 'tables' = {
    name: 'crownsafebreakers'
  }
}

resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: blobs
  name: 'audit'
  properties: {
    workspaceId: workspaceId
    // Reads are left out: they are the images of every page, and the app logs each link it gives out.
    logs: [
      { category: 'StorageWrite', enabled: true }
      { category: 'StorageDelete', enabled: true }
    ]
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (locked) {
  scope: account
  name: 'keep-data'
  properties: { level: 'CanNotDelete', notes: 'Holds the files of the users and the catalogue of backups.' }
}

@description('Name of the account.')
output name string = account.name

@description('Container of the deployment package.')
output packageContainerName string = packageContainerName
