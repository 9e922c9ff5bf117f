import { randomBytes } from 'node:crypto';
import type { Api } from './api.ts';

const pngSignature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** Bytes that begin as a PNG and go on at random, so that no two are alike. */
export function pngBytes(sizeBytes = 2_000): Buffer {
  return Buffer.concat([pngSignature, randomBytes(Math.max(0, sizeBytes - pngSignature.length))]);
}

interface UploadParts {
  readonly name?: string;
  readonly type?: string;
  readonly fields?: Readonly<Record<string, string>>;
}

/** A form as a browser sends it. */
export function formOf(
  bytes: Uint8Array,
  { name = 'photo.png', type = 'image/png', fields = {} }: UploadParts = {},
): FormData {
  const form = new FormData();
  for (const [field, value] of Object.entries(fields)) form.set(field, value);
  form.set('file', new Blob([new Uint8Array(bytes)], { type }), name);
  return form;
}

/** Sends a form. */
export function uploadForm(api: Api, bytes: Uint8Array, parts?: UploadParts): Promise<Response> {
  return api('/api/v1/uploads', { method: 'POST', body: formOf(bytes, parts) });
}

/** Sends raw bytes. */
export function uploadRaw(
  api: Api,
  bytes: Uint8Array,
  headers: Record<string, string> = {},
): Promise<Response> {
  return api('/api/v1/uploads', {
    method: 'POST',
    headers: { 'content-type': 'image/png', 'x-file-name': 'photo.png', ...headers },
    body: new Uint8Array(bytes),
  });
}

/** What the API says of a file, as far as tests look at it. */
export interface FileJson {
  readonly id: string;
  readonly name: string;
  readonly sha256: string;
  readonly size: number;
  readonly etag: string;
  readonly blob: { readonly container: string; readonly name: string; readonly url: string };
}

/** Uploads and expects it to work. */
export async function uploaded(
  api: Api,
  bytes: Uint8Array = pngBytes(),
  parts?: UploadParts,
): Promise<FileJson> {
  const response = await uploadForm(api, bytes, parts);
  if (response.status !== 201) throw new Error(`upload: ${response.status} ${await response.text()}`);
  return (await response.json()) as FileJson;
}
