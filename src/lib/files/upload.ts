import type { IncomingMessage } from 'node:http';
import { AppError } from '../core/index.ts';
import { idShape, invalid, readBody, readFileForm, validate } from '../http/index.ts';
import { announcedDigest, hexDigest } from './digest-headers.ts';
import { type Candidate, tooLarge } from './gate.ts';
import { metadataShape } from './shapes.ts';

/** What a request to upload holds, read but not yet believed. */
export interface UploadRequest {
  readonly candidate: Candidate;
  /** What the client says of the file beside its content; looked at when the content has been admitted. */
  readonly attributes: () => UploadAttributes;
}

interface UploadAttributes {
  readonly metadata: Readonly<Record<string, string>>;
  readonly projectId: string | undefined;
}

/** Room for the boundaries, headers and other fields of a form around its file. */
const formOverheadBytes = 64 * 1024;

/**
 * Reads an upload, as a form (`multipart/form-data`) or as raw bytes with `x-file-name`. A declared size beyond the limit
 * is refused before anything is read.
 *
 * @param maxBytes - bytes of the file that are kept at most
 */
export async function readUpload(
  request: IncomingMessage,
  maxBytes: number,
  projectIdInQuery?: string,
): Promise<UploadRequest> {
  const isForm = /^multipart\/form-data\b/i.test(request.headers['content-type'] ?? '');
  const declaredBytes = Number(request.headers['content-length'] ?? 0);
  if (declaredBytes > maxBytes + (isForm ? formOverheadBytes : 0)) throw tooLarge(maxBytes);
  return isForm
    ? readForm(request, maxBytes, projectIdInQuery)
    : readRaw(request, maxBytes, projectIdInQuery);
}

async function readForm(
  request: IncomingMessage,
  maxBytes: number,
  projectIdInQuery?: string,
): Promise<UploadRequest> {
  const { file, fields } = await readFileForm(request, {
    maxFileBytes: maxBytes,
    fields: ['metadata', 'name', 'project_id', 'sha256'],
  });
  return {
    candidate: {
      name: () => fields['name'] ?? file.filename,
      declaredType: file.contentType,
      bytes: file.bytes,
      tooLarge: file.tooLarge,
      digest: () => hexDigest(fields['sha256']),
    },
    attributes: () => ({
      metadata:
        fields['metadata'] === undefined
          ? {}
          : validate(metadataShape, parseMetadata(fields['metadata']), 'metadata'),
      projectId:
        fields['project_id'] === undefined
          ? projectIdInQuery
          : validate(idShape, fields['project_id'], 'project_id'),
    }),
  };
}

function parseMetadata(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid([{ path: 'metadata', message: 'is not JSON', code: 'invalid_json' }], cause);
  }
}

async function readRaw(
  request: IncomingMessage,
  maxBytes: number,
  projectId?: string,
): Promise<UploadRequest> {
  const { headers } = request;
  const { bytes, exceeded } = await readBody(request, maxBytes);
  return {
    candidate: {
      name: () => fileName(headers['x-file-name']?.toString()),
      declaredType: headers['content-type'],
      bytes,
      tooLarge: exceeded,
      digest: () => announcedDigest(headers),
    },
    attributes: () => ({ metadata: {}, projectId }),
  };
}

function fileName(header: string | undefined): string {
  if (!header)
    throw new AppError('name_required', 'Send the name of the file in x-file-name, percent-encoded');
  try {
    return decodeURIComponent(header);
  } catch (cause) {
    const message = 'is not percent-encoded UTF-8';
    throw invalid([{ path: 'x-file-name', message, code: 'invalid_encoding' }], cause);
  }
}
