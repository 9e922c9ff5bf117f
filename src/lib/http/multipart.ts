import type { IncomingMessage } from 'node:http';
import type { Busboy, BusboyFileStream, BusboyInstance } from '@fastify/busboy';
import { AppError } from '../core/index.ts';
import { invalid } from './input.ts';

/** The file part of a form, read whole. */
export interface FilePart {
  /** As the client sent it, with any folders. */
  readonly filename: string;
  readonly contentType: string | undefined;
  readonly bytes: Buffer;
  /** The part is larger than the limit; `bytes` holds its beginning only. */
  readonly tooLarge: boolean;
}

/** A form with exactly one file part, named `file`. */
export interface FileForm {
  readonly file: FilePart;
  readonly fields: Readonly<Record<string, string>>;
}

interface FormLimits {
  readonly maxFileBytes: number;
  /** Names that are accepted, each once. */
  readonly fields: readonly string[];
}

const maxFieldBytes = 64 * 1024;
const maxHeaderPairs = 32;

/**
 * Reads a `multipart/form-data` body. Nothing is kept beyond the limits; the rest of a refused body is not read.
 *
 * @throws AppError `malformed_body`, `file_part_required`, `one_file_only`, `validation_failed`
 */
export async function readFileForm(request: IncomingMessage, limits: FormLimits): Promise<FileForm> {
  // 50 KB that most starts of a process can do without.
  const { default: busboy } = await import('@fastify/busboy');
  if (request.destroyed) throw malformed('The body ended before its end');
  return new Promise((resolve, reject) => {
    const parser = openParser(busboy.Busboy, request, limits);
    const fields: Record<string, string> = {};
    let file: Promise<FilePart> | undefined;

    const fail = (error: AppError) => {
      request.unpipe(parser);
      request.off('error', onBroken);
      request.off('aborted', onBroken);
      // A parser that is torn down midway still has something to say about it.
      parser.on('error', () => {});
      parser.destroy();
      reject(error);
    };
    const onBroken = (cause?: unknown) => fail(malformed('The body ended before its end', cause));

    parser.on('file', (name, stream, filename, _encoding, contentType) => {
      stream.on('error', onBroken);
      if (name !== 'file')
        return fail(new AppError('file_part_required', `Name the file part "file", not "${name}"`));
      if (file !== undefined) return fail(new AppError('one_file_only', 'Send one file at a time'));
      file = readPart(stream, unescapeFilename(filename), contentType, limits.maxFileBytes);
      file.catch(onBroken);
    });
    parser.on('field', (name, value, nameTruncated, valueTruncated) => {
      if (nameTruncated || valueTruncated)
        return fail(
          invalid([{ path: name, message: `is longer than ${maxFieldBytes} bytes`, code: 'too_big' }]),
        );
      if (!limits.fields.includes(name))
        return fail(invalid([{ path: name, message: 'is not known here', code: 'unknown' }]));
      if (name in fields)
        return fail(invalid([{ path: name, message: 'is given more than once', code: 'repeated' }]));
      fields[name] = value;
    });
    parser.on('filesLimit', () => fail(new AppError('one_file_only', 'Send one file at a time')));
    parser.on('partsLimit', () => fail(malformed('The form has too many parts')));
    parser.on('fieldsLimit', () => fail(malformed('The form has too many fields')));
    parser.on('error', onBroken);
    parser.on('finish', () => {
      request.off('error', onBroken);
      request.off('aborted', onBroken);
      if (file === undefined)
        return reject(new AppError('file_part_required', 'The form has no file part named "file"'));
      file.then((part) => resolve({ file: part, fields }), onBroken);
    });
    request.on('error', onBroken);
    request.on('aborted', onBroken);
    request.pipe(parser);
  });
}

function openParser(Parser: typeof Busboy, request: IncomingMessage, limits: FormLimits): BusboyInstance {
  try {
    return new Parser({
      headers: { ...request.headers, 'content-type': request.headers['content-type'] ?? '' },
      // A path in a name is refused later; cutting it off silently would hide what the client did.
      preservePath: true,
      limits: {
        fieldNameSize: 100,
        fieldSize: maxFieldBytes,
        fields: limits.fields.length + 1,
        // The parser cuts the part off here: one byte more than allowed tells too large from just right.
        fileSize: limits.maxFileBytes + 1,
        files: 2,
        parts: limits.fields.length + 3,
        headerPairs: maxHeaderPairs,
      },
    });
  } catch (cause) {
    throw malformed('The boundary of the form is missing', cause);
  }
}

async function readPart(
  stream: BusboyFileStream,
  filename: string,
  contentType: string,
  maxFileBytes: number,
): Promise<FilePart> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  return { filename, contentType: contentType || undefined, bytes, tooLarge: sizeBytes > maxFileBytes };
}

/** Browsers write these three characters of a file's name so. https://html.spec.whatwg.org/#multipart-form-data */
function unescapeFilename(filename: string | undefined): string {
  return (filename ?? '').replace(/%(?:22|0D|0A)/g, decodeURIComponent);
}

function malformed(detail: string, cause?: unknown): AppError {
  return new AppError('malformed_body', detail, { cause });
}
