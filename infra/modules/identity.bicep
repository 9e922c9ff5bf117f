metadata name = 'Identity'
metadata description = 'The one identity the app acts as. It exists before the app, so that its roles do, too. Deploying has an identity of its own that is made outside of these templates: it would have to grant itself the right to run them.'

@description('Required. Name of the identity; the app’s login role in the database has the same.')
param name string

@description('Required. Azure region.')
param location string

@description('Required. Tags.')
param tags object

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

@description('Name of the identity.')
output name string = identity.name

@description('Object id of its service principal.')
output principalId string = identity.properties.principalId
