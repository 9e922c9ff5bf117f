export { type Answer, empty, json, streaming, text } from './answer.ts';
export { networkOf } from './client-address.ts';
export { selectContent } from './conditional.ts';
export { createEdge } from './edge.ts';
export { anybody, authenticated, type Endpoint, endpoint, type RequestKey, scope } from './endpoint.ts';
export { keyedRequest, recordedAnswer } from './idempotency.ts';
export { invalid, readBody, validate } from './input.ts';
export { readFileForm } from './multipart.ts';
export {
  type Cursors,
  createCursors,
  maxNumberedRows,
  pageOf,
  pageParameters,
  pageStart,
  renderPage,
} from './pagination.ts';
export { problemShape, toProblem } from './problem.ts';
export { createRateLimiter } from './rate-limit.ts';
export { watchRawRequests } from './raw-requests.ts';
export { flagText, idShape, isPlain, plainText, textsByName } from './shapes.ts';
export { ignoreTriggerMetadata } from './trigger-metadata.ts';
