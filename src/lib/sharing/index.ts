export {
  createSasLinks,
  sasBatchRequest,
  sasBatchResult,
  sasLink,
  sasRequest,
} from './sas.ts';
