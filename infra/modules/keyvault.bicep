metadata name = 'Vault'
metadata description = 'Holds `secret-key`, which the deployment hook makes once, and secrets that further settings refer to. No template ever sees one.'

@minLength(3)
@maxLength(24)
@description('Required. Name of the vault.')
param name string

@description('Required. Azure region.')
param location string

@description('Required. Tags.')
param tags object

@description('Required. Whether the vault is reached through a private endpoint only, deployers excepted.')
param networkClosed bool

@description('Required. Networks of deployers.')
param ipRanges string[]

@description('Required. Log Analytics workspace of the audit log.')
param workspaceId string

@description('Required. Whether the vault is protected against deletion and purging.')
param locked bool

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    // The same for every profile: Azure refuses to change it.
    softDeleteRetentionInDays: 90
    // Can only ever be switched on, so `false` is not a value.
    enablePurgeProtection: locked ? true : null
    publicNetworkAccess: networkClosed && empty(ipRanges) ? 'Disabled' : 'Enabled'
    networkAcls: {
      defaultAction: networkClosed ? 'Deny' : 'Allow'
      bypass: 'None'
      ipRules: [for range in ipRanges: { value: range }]
    }
  }
}

resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'audit'
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'audit', enabled: true }]
  }
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (locked) {
  scope: vault
  name: 'keep-secret-key'
  properties: { level: 'CanNotDelete', notes: 'Without the secret in it, every API key and every cursor is void.' }
}

@description('Resource id of the vault.')
output id string = vault.id

@description('Name of the vault.')
output name string = vault.name

@description('Address of the vault.')
output uri string = vault.properties.vaultUri
