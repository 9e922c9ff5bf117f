type TriggerMetadata = Record<string, object>;

const keyIn = (data: TriggerMetadata, key: string) =>
  Object.keys(data).find((other) => other.toLowerCase() === key.toLowerCase());

/** Merges values over `data` as .NET's case-insensitive dictionary does: the first spelling of a key stays. */
function merge(data: TriggerMetadata, values: object): void {
  for (const [key, value] of Object.entries(values)) {
    // As .NET writes it: a boolean begins with a capital.
    const string = typeof value === 'boolean' ? (value ? 'True' : 'False') : String(value);
    if (typeof value !== 'object') data[keyIn(data, key) ?? key] = { string };
  }
}

/** Merges the scalars at the top level of a JSON object over `data`; a text need not be JSON. */
export function mergeJson(data: TriggerMetadata, text: string): void {
  try {
    if (text.trimStart().startsWith('{')) merge(data, JSON.parse(text));
  } catch {} // No JSON, nothing to merge.
}

/**
 * What the host tells the worker beside the request itself. The library takes headers and params from here, so
 * whoever writes the query or the body can empty, replace or rename them
 * (HttpTriggerAttributeBindingProvider.GetRequestBindingDataAsync of the host's HTTP extension).
 */
export function httpBindingData(params: object, search: URLSearchParams, headers: object, bodyText: string) {
  const data: TriggerMetadata = Object.create(null);
  mergeJson(data, bodyText);
  const query = Object.fromEntries(search.keys().map((key) => [key, search.getAll(key).join(',')]));
  merge(data, { ...query, code: null });
  merge(data, params);
  if (!keyIn(data, 'query')) data['Query'] = { json: JSON.stringify(query) };
  if (!keyIn(data, 'headers')) data['Headers'] = { json: JSON.stringify(headers) };
  return data;
}
