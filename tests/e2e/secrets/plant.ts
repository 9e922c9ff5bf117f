import type { Api } from '../../support/api.ts';
import { formOf, pngBytes } from '../../support/uploads.ts';
import type { Planted } from './kinds.ts';

/** What a client was told. */
export interface Told {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

const headerNames = [
  'user-agent',
  'referer',
  'x-correlation-id',
  'x-request-id',
  'traceparent',
  'tracestate',
  'baggage',
  'accept',
  'accept-language',
  'if-none-match',
  'if-range',
  'range',
  'x-request-timeout',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-ms-client-principal',
  'x-ms-client-request-id',
  'cookie',
];

/** Headers in which a secret comes in by mistake, beside a request that is right. */
const headerRequests = (text: string): [string, RequestInit][] => [
  ...headerNames.map((name): [string, RequestInit] => ['/api/v1/files', { headers: { [name]: text } }]),
  ['/health', { headers: { 'x-correlation-id': text, 'x-request-id': text } }],
  ['/api/v1/backups', { method: 'POST', body: '{"kind":"none"}', headers: { 'idempotency-key': text } }],
  ['/api/v1/uploads', { method: 'POST', body: 'x', headers: { 'x-file-name': text } }],
  [
    '/api/v1/uploads',
    { method: 'POST', body: 'x', headers: { 'x-file-name': 'a.png', 'content-type': text } },
  ],
  [
    '/api/v1/uploads',
    { method: 'POST', body: 'x', headers: { 'x-file-name': 'a.png', 'repr-digest': text } },
  ],
];

/** Addresses, with the secret as a value, as a name, and as what is asked for. */
const addressRequests = (text: string): [string, RequestInit][] => {
  const encoded = encodeURIComponent(text);
  return [
    ...['prefix', 'sort', 'status', 'cursor', 'page', 'created_after', 'unknown', 'sig', 'code', 'token'].map(
      (name): [string, RequestInit] => [`/api/v1/files?${name}=${encoded}`, {}],
    ),
    [`/api/v1/files?${encoded}=1`, {}],
    [`/api/v1/files?a=${encoded}&a=${encoded}`, {}],
    [`/api/v1/files/${encoded}`, {}],
    [`/api/v1/files/${encoded}/content`, {}],
    [`/api/v1/backups/${encoded}`, {}],
    [`/api/v1/jobs/${encoded}`, {}],
    [`/api/v1/reports/${encoded}`, {}],
    [`/api/v1/reports/upload-activity?tz=${encoded}`, {}],
    [`/api/v1/reports/upload-activity?from=${encoded}&format=${encoded}`, {}],
    [`/api/v1/monitoring/breakers/${encoded}`, { method: 'POST', body: '{"state":"auto"}' }],
    [`/health?${encoded}`, {}],
  ];
};

const bodyRequests = (text: string): [string, RequestInit][] => [
  ...[
    { file_id: text },
    { file_id: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', content_disposition: text },
    { file_id: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', ip: text },
    { password: text },
    { [text]: 1 },
    text,
    [text],
  ].map((body): [string, RequestInit] => ['/api/v1/sas', { method: 'POST', body: JSON.stringify(body) }]),
  ['/api/v1/sas', { method: 'POST', body: text }],
  ['/api/v1/sas/batch', { method: 'POST', body: JSON.stringify({ items: [text, { file_id: text }] }) }],
  ['/api/v1/backups', { method: 'POST', body: JSON.stringify({ kind: text }) }],
];

const formRequests = (text: string): [string, RequestInit][] => {
  const upload = (parts: Parameters<typeof formOf>[1]): [string, RequestInit] => [
    '/api/v1/uploads',
    { method: 'POST', body: formOf(pngBytes(100), parts) },
  ];
  return [
    upload({ fields: { metadata: JSON.stringify({ note: text }) } }),
    upload({ fields: { metadata: text } }),
    upload({ fields: { project_id: text } }),
    upload({ fields: { sha256: text } }),
    upload({ fields: { [text]: 'x' } }),
    upload({ name: text }),
    upload({ type: text }),
  ];
};

/** Sends a secret everywhere a client can put it, and as the credential. @returns what was told */
export async function plant(api: Api, nobody: Api, { text }: Planted): Promise<Told[]> {
  const asAdmin = [
    ...headerRequests(text),
    ...addressRequests(text),
    ...bodyRequests(text),
    ...formRequests(text),
  ];
  const credentials: [string, RequestInit][] = [
    ['/api/v1/files', { headers: { 'x-api-key': text } }],
    ['/api/v1/files', { headers: { authorization: text } }],
    ['/api/v1/files', { headers: { authorization: `Bearer ${text}` } }],
    ['/api/v1/files', { headers: { 'x-functions-key': text, cookie: text } }],
  ];
  const told: Told[] = [];
  for (const [path, init] of asAdmin) told.push(await tell(api, path, init));
  for (const [path, init] of credentials) told.push(await tell(nobody, path, init));
  return told;
}

async function tell(api: Api, path: string, init: RequestInit): Promise<Told> {
  const headers = new Headers(typeof init.body === 'string' ? { 'content-type': 'application/json' } : {});
  for (const [name, value] of new Headers(init.headers)) headers.set(name, value);
  const response = await api(path, { ...init, headers });
  return {
    status: response.status,
    headers: [...response.headers].map((pair) => pair.join(': ')).join('\n'),
    body: await response.text(),
  };
}
