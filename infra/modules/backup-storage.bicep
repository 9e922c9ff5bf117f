metadata name = 'Backup account'
metadata description = 'Dumps of the database and seals of the audit trail, out of reach of what may happen to the data account. docs/decisions/infrastructure.md says why the immutability is of this kind.'

@minLength(3)
@maxLength(24)
@description('Required. Name of the account.')
param name string

@description('Required. Azure region.')
param location string

@description('Required. Tags.')
param tags object

@allowed(['Standard_LRS', 'Standard_GZRS'])
@description('Required. Redundancy; with GZRS the backups survive the loss of the region.')
param redundancy string

@description('Required. Whether the account is reached through a private endpoint only.')
param networkClosed bool

@description('Required. Whether the owner has locked the immutability policies.')
param policyLocked bool

@description('Required. Log Analytics workspace of the audit log.')
param workspaceId string

@description('Required. Whether the account is protected against deletion.')
param locked bool

// As long as that of the data account: a backup that is got back refers to files that can be got back as well.
var softDeleteDays = 7
// Not longer than the shortest time that backups are kept (hourly ones: 48 hours), so that the app can delete each
// when its time is over. A deletion that comes too early is refused and tried again.
var immutableDays = 2
// Long enough to look back over a year; the app never deletes a seal.
var auditImmutableDays = 400

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: redundancy }
  properties: {
    // Cool bills at least 30 days, which is how long nightly backups are kept.
    accessTier: 'Cool'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    isLocalUserEnabled: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: networkClosed ? 'Disabled' : 'Enabled'
    networkAcls: { defaultAction: networkClosed ? 'Deny' : 'Allow', bypass: 'None' }
    // The app's own live 15 minutes.
    sasPolicy: { sasExpirationPeriod: '0.01:00:00', expirationAction: 'Log' }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {
    // With versions, deleting a backup would only hide it, for ever.
    isVersioningEnabled: false
    deleteRetentionPolicy: { enabled: true, days: softDeleteDays }
    containerDeleteRetentionPolicy: { enabled: true, days: softDeleteDays }
  }
}

resource backups 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobs
  name: 'crownsafe-backups'
  properties: { publicAccess: 'None' }
}

resource seals 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobs
  name: 'crownsafe-audit'
  properties: { publicAccess: 'None' }
}

// Made unlocked. Locking it cannot be undone, so it is left to the owner (docs/deploy.md). A locked one refuses to be
// written again, even with the same days, so it is then left out; deploying does not take away what is left out.
resource immutability 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2025-06-01' = if (!policyLocked) {
  parent: backups
  name: 'default'
  properties: { immutabilityPeriodSinceCreationInDays: immutableDays, allowProtectedAppendWrites: false }
}

resource sealImmutability 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2025-06-01' = if (!policyLocked) {
  parent: seals
  name: 'default'
  properties: { immutabilityPeriodSinceCreationInDays: auditImmutableDays, allowProtectedAppendWrites: false }
}

resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: blobs
  name: 'audit'
  properties: {
    workspaceId: workspaceId
    // Reads, too: whoever reads a backup reads everything.
    logs: [
      { category: 'StorageRead', enabled: true }
      { category: 'StorageWrite', enabled: true }
      { category: 'StorageDelete', enabled: true }
    ]
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

// Extends to the immutability policies, which then cannot be taken away first.
resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (locked) {
  scope: account
  name: 'keep-backups'
  properties: { level: 'CanNotDelete', notes: 'Holds the backups of the database and the seals of the audit trail.' }
}

@description('Resource id of the account.')
output id string = account.id

@description('Name of the account.')
output name string = account.name

@description('Container of the backups.')
output containerName string = backups.name

@description('Container of the seals of the audit trail.')
output auditContainerName string = seals.name

@description('Address of the blob service.')
output blobUri string = account.properties.primaryEndpoints.blob
