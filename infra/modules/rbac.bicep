metadata name = 'Roles'
metadata description = 'Every right that the app and the deployer get, each with its reason, which Azure shows beside the assignment.'

@description('Required. Name of the data account.')
param dataAccountName string

@description('Required. Name of the backup account.')
param backupAccountName string

@description('Required. Name of the container of the backups.')
param backupContainerName string

@description('Required. Name of the container of the seals of the audit trail.')
param auditContainerName string

@description('Required. Name of the vault.')
param vaultName string

@description('Required. Name of the Application Insights component.')
param componentName string

@description('Required. Object id of the app’s identity.')
param appPrincipalId string

@description('Required. Object id of whoever deploys.')
param deployerPrincipalId string

// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
var roles = {
  'Key Vault Secrets Officer': 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'
  'Key Vault Secrets User': '4633458b-17de-408a-b874-0445c86b69e6'
  'Monitoring Metrics Publisher': '3913510d-42f4-4e42-8a64-420c390055eb'
  'Storage Blob Data Contributor': 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  'Storage Blob Data Owner': 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  'Storage Blob Delegator': 'db58b8e5-c6ad-4a2a-8342-4190687cbf4a'
  'Storage Queue Data Contributor': '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  'Storage Table Data Contributor': '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
}

var onDataAccount = [
  {
    role: 'Storage Blob Data Owner'
    reason: 'The least that the Functions host documents for its own storage. The app needs of it: reading, writing and deleting files, and the key that signs links.'
  }
  {
    role: 'Storage Queue Data Contributor'
    reason: 'The app sends jobs; the host takes them out and puts those aside that failed five times; the app collects these.'
  }
  {
    role: 'Storage Table Data Contributor'
    reason: 'The app keeps the catalogue of backups, orders for circuit breakers and cached values, the host its diagnostic events.'
  }
]

resource dataAccount 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: dataAccountName
}

resource backupAccount 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: backupAccountName

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource backups 'containers' existing = {
      name: backupContainerName
    }

    resource seals 'containers' existing = {
      name: auditContainerName
    }
  }
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: vaultName
}

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

resource dataAccountRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for right in onDataAccount: {
  scope: dataAccount
  name: guid(dataAccount.id, appPrincipalId, roles[right.role])
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles[right.role])
    description: right.reason
  }
}]

resource backupContainerRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: backupAccount::blobs::backups
  name: guid(backupAccount::blobs::backups.id, appPrincipalId, roles['Storage Blob Data Contributor'])
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Storage Blob Data Contributor'])
    description: 'The app writes, reads and deletes backups. No smaller built-in role writes; it holds for one container, not for the account.'
  }
}

resource auditContainerRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: backupAccount::blobs::seals
  name: guid(backupAccount::blobs::seals.id, appPrincipalId, roles['Storage Blob Data Contributor'])
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Storage Blob Data Contributor'])
    description: 'The app writes seals of the audit trail and reads them. No smaller built-in role writes; what is written, the policy of the container keeps.'
  }
}

resource backupAccountRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: backupAccount
  name: guid(backupAccount.id, appPrincipalId, roles['Storage Blob Delegator'])
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Storage Blob Delegator'])
    description: 'The key that signs download links is given out by the account, not by a container. It opens nothing by itself.'
  }
}

resource vaultRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault
  name: guid(vault.id, appPrincipalId, roles['Key Vault Secrets User'])
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Key Vault Secrets User'])
    description: 'The platform reads secret-key in the name of the app, and what further settings refer to; with USE_SECRETS_MANAGER the app reads its secrets itself. The vault holds nothing else.'
  }
}

resource componentRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: component
  name: guid(component.id, appPrincipalId, roles['Monitoring Metrics Publisher'])
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Monitoring Metrics Publisher'])
    description: 'Telemetry is taken from Entra identities only.'
  }
}

// Of what kind the deployer is, Azure finds out itself: it exists already.
resource deployerRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault
  name: guid(vault.id, deployerPrincipalId, roles['Key Vault Secrets Officer'])
  properties: {
    principalId: deployerPrincipalId
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Key Vault Secrets Officer'])
    description: 'The deployment hook makes secret-key where there is none. The package needs no right of the deployer: the app’s identity stores it.'
  }
}
