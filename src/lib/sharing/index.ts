export { createSasLinks } from './sas.ts';
export { sasBatchRequest, sasBatchResult, sasLink, sasRequest } from './shapes.ts';
