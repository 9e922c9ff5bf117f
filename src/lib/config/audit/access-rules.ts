import { isDeployed, type Rule } from './finding.ts';

/** What lets in whoever should stay out. */
export const accessRules: readonly Rule[] = [
  {
    id: 'developer_environment_in_azure',
    level: 'critical',
    title:
      'The app runs in Azure as if on a developer’s machine: metrics are open to anybody, nothing fails closed',
    fix: 'Set ENVIRONMENT to production or staging, or remove it',
    found: ({ config }) => config.isInAzure && !config.isProduction && config.ENVIRONMENT !== 'staging',
  },
  {
    id: 'jwt_for_anybody',
    level: 'high',
    title: 'Bearer tokens that were made for another service with the same secret are accepted',
    fix: 'Set JWT_ISSUER and JWT_AUDIENCE to what the issuer writes into tokens for this service',
    found: ({ config }) =>
      config.JWT_SECRET !== undefined &&
      (config.JWT_ISSUER === undefined || config.JWT_AUDIENCE === undefined),
  },
  {
    id: 'cors_wildcard',
    level: 'high',
    title: 'Any website may call the API from the browsers of its visitors',
    fix: 'Name the origins in CORS_ORIGINS instead of *',
    found: ({ config }) => isDeployed(config) && config.CORS_ORIGINS.includes('*'),
  },
  {
    id: 'cors_plain_http',
    level: 'medium',
    title: 'A website without TLS may call the API, so whoever stands between it and its visitors may, too',
    fix: 'Write https:// in CORS_ORIGINS',
    found: ({ config }) =>
      isDeployed(config) && config.CORS_ORIGINS.some((origin) => origin.startsWith('http:')),
  },
  {
    id: 'plain_http_base_url',
    level: 'high',
    title: 'Links to the app lead over plain HTTP',
    fix: 'Set PUBLIC_BASE_URL to an https:// address, or remove it',
    found: ({ config }) => isDeployed(config) && (config.PUBLIC_BASE_URL?.startsWith('http:') ?? false),
  },
  {
    id: 'no_client_address',
    level: 'high',
    title:
      'All clients seem to come from the front end of the platform: one that shows bad credentials shuts out the others, and the audit trail knows no address',
    fix: 'Remove TRUSTED_PROXY_HOPS; set it to 2 with a gateway of yours before the app',
    found: ({ config }) => config.isInAzure && config.TRUSTED_PROXY_HOPS === 0,
  },
  {
    id: 'client_address_by_gateway',
    level: 'low',
    title: 'Who can go around the gateway before the app chooses the address it is counted and noted under',
    fix: 'Let in the gateway only (az functionapp config access-restriction add), which the app cannot see, or remove TRUSTED_PROXY_HOPS',
    found: ({ config }) => config.isInAzure && config.TRUSTED_PROXY_HOPS > 1,
  },
];
