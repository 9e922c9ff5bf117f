import type { IncomingMessage } from 'node:http';
import type { Credentials } from '../security/index.ts';

/** Pages of other sites may make a browser send these without our consent, with all its cookies; and they change nothing. */
const readingMethods = ['GET', 'HEAD', 'OPTIONS'];
/** What a browser says of the page that made it ask; see https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header */
const foreignSites = ['cross-site', 'same-site'];

/** Reads what a request says of its caller. A header that came twice is one that nobody believes. */
export function readCredentials({ method = '', headersDistinct }: IncomingMessage): Credentials {
  const header = (name: string) => headersDistinct[name]?.join(', ');
  // The front end knows its users by a cookie, which comes along whatever page has asked.
  const isForged = !readingMethods.includes(method) && foreignSites.includes(header('sec-fetch-site') ?? '');
  return {
    apiKey: header('x-api-key'),
    authorization: header('authorization'),
    clientPrincipal: isForged ? undefined : header('x-ms-client-principal'),
  };
}
