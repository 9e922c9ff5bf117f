import type { TriggerMetadata, TypedData } from './protocol.ts';

/** Sets a key as .NET's case-insensitive dictionary does: its first spelling stays, its value changes. */
function assign(data: TriggerMetadata, key: string, value: TypedData): void {
  const known = Object.keys(data).find((other) => other.toLowerCase() === key.toLowerCase());
  data[known ?? key] = value;
}

/** Merges the top-level values of a JSON text over `data`; objects only where the host keeps them, lists never. */
export function mergeJson(data: TriggerMetadata, text: string, withObjects = false): void {
  if (!text.trimStart().startsWith('{')) return;
  try {
    for (const [key, value] of Object.entries<unknown>(JSON.parse(text))) {
      if (value === null || Array.isArray(value)) continue;
      if (typeof value !== 'object') assign(data, key, { string: scalarText(value) });
      else if (withObjects) assign(data, key, { json: JSON.stringify(value) });
    }
  } catch {
    // Not an error: a body need not be JSON.
  }
}

/** As .NET writes it: a boolean begins with a capital. */
function scalarText(value: unknown): string {
  return value === true ? 'True' : value === false ? 'False' : String(value);
}

interface HttpBindingData {
  readonly params: Readonly<Record<string, string>>;
  readonly search: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  /** The text of a body that came with a Content-Length. */
  readonly body: string;
}

/**
 * What the host's HTTP trigger tells the worker beside the request itself. The library takes headers and params
 * from here, so whoever writes the query or the body can empty, replace or rename them
 * (HttpTriggerAttributeBindingProvider.GetRequestBindingDataAsync of the host's HTTP extension).
 */
export function httpBindingData({ params, search, headers, body }: HttpBindingData): TriggerMetadata {
  const data: TriggerMetadata = Object.create(null);
  mergeJson(data, body);
  const query: Record<string, string> = Object.create(null);
  for (const key of search.keys()) query[key] = search.getAll(key).join(',');
  for (const [key, value] of Object.entries(query))
    if (key.toLowerCase() !== 'code') assign(data, key, { string: value });
  for (const [key, value] of Object.entries(params)) assign(data, key, { string: value });
  const has = (key: string) => Object.keys(data).some((other) => other.toLowerCase() === key);
  if (!has('query')) data['Query'] = { json: JSON.stringify(query) };
  if (!has('headers')) data['Headers'] = { json: JSON.stringify(headers) };
  return data;
}
