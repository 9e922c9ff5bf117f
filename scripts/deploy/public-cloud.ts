/**
 * Where Azure is. The templates ask Azure for the hosts of its cloud; the hooks know the public one only, as does the
 * app, which names the token for its database by host.
 */
export const publicCloud = {
  resourceManager: 'https://management.azure.com',
  vaultScope: 'https://vault.azure.net/.default',
  resourceManagerScope: 'https://management.azure.com/.default',
} as const;
