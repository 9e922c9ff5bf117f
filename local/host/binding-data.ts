import type { TriggerMetadata } from './contract.ts';

const keyIn = (data: TriggerMetadata, key: string) =>
  Object.keys(data).find((other) => other.toLowerCase() === key.toLowerCase());

/** Sets a value as .NET's case-insensitive dictionary does: the first spelling of its key stays. */
function assign(data: TriggerMetadata, key: string, value: string): void {
  data[keyIn(data, key) ?? key] = { string: value };
}

/** Merges the scalars at the top level of a JSON text over `data`; a text need not be JSON. */
export function mergeJson(data: TriggerMetadata, text: string): void {
  if (!text.trimStart().startsWith('{')) return;
  try {
    for (const [key, value] of Object.entries<unknown>(JSON.parse(text))) {
      // As .NET writes it: a boolean begins with a capital.
      if (typeof value === 'boolean') assign(data, key, value ? 'True' : 'False');
      else if (typeof value !== 'object') assign(data, key, String(value));
    }
  } catch {}
}

/**
 * What the host's HTTP trigger tells the worker beside the request itself. The library takes headers and params
 * from here, so whoever writes the query or the body can empty, replace or rename them
 * (HttpTriggerAttributeBindingProvider.GetRequestBindingDataAsync of the host's HTTP extension).
 *
 * @param body - the text of a body that came with a Content-Length
 */
export function httpBindingData(
  params: Readonly<Record<string, string>>,
  search: URLSearchParams,
  headers: Readonly<Record<string, string>>,
  body: string,
): TriggerMetadata {
  const data: TriggerMetadata = Object.create(null);
  mergeJson(data, body);
  const query = Object.fromEntries(search.keys().map((key) => [key, search.getAll(key).join(',')]));
  for (const [key, value] of Object.entries(query))
    if (key.toLowerCase() !== 'code') assign(data, key, value);
  for (const [key, value] of Object.entries(params)) assign(data, key, value);
  if (!keyIn(data, 'query')) data['Query'] = { json: JSON.stringify(query) };
  if (!keyIn(data, 'headers')) data['Headers'] = { json: JSON.stringify(headers) };
  return data;
}
