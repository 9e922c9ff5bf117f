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
];
