export {
  createSasLinks,
  type SasLinks,
  sasBatchRequest,
  sasBatchResult,
  sasLink,
  sasRequest,
} from './sas.ts';
