import { createHash, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { AppError } from '../../../src/lib/core/index.ts';
import type { BlobProperties, BlobStore } from '../../../src/lib/storage/index.ts';
import { maxLinkMs } from '../../../src/lib/storage/sas.ts';

interface StoredBlob {
  readonly bytes: Buffer;
  readonly properties: BlobProperties;
}

/** A container in memory; keeps the same contract as the real one. */
export function memoryBlobStore(container = 'memory', now: () => number = Date.now): BlobStore {
  const blobs = new Map<string, StoredBlob>();
  let writes = 0;

  const find = (name: string): StoredBlob => {
    const blob = blobs.get(name);
    if (!blob) throw new AppError('not_found', 'There is no such file');
    return blob;
  };
  const store = (properties: Omit<BlobProperties, 'etag' | 'lastModified' | 'sizeBytes'>, bytes: Buffer) => {
    const written = {
      ...properties,
      sizeBytes: bytes.length,
      etag: `"memory-${++writes}"`,
      lastModified: Math.floor(now() / 1000) * 1000,
    };
    blobs.set(properties.name, { bytes, properties: written });
    return written;
  };
  const url = (name: string) =>
    `https://memory.invalid/${container}/${name.split('/').map(encodeURIComponent).join('/')}`;

  return {
    url,
    async upload(name, source, options) {
      const bytes = await read(source, options.signal);
      if (options.onlyIfAbsent && blobs.has(name))
        throw new AppError('conflict', 'The name is already taken');
      const metadata = { ...options.metadata, upload_id: randomUUID() };
      const { contentType, contentDisposition } = options;
      return store({ name, contentType, metadata, ...(contentDisposition && { contentDisposition }) }, bytes);
    },
    async download(name, { range, etag, signal }) {
      signal.throwIfAborted();
      const { bytes, properties } = find(name);
      if (etag !== undefined && etag !== properties.etag)
        throw new AppError('conflict', 'The file has changed');
      const from = range?.offset ?? 0;
      if (range && from >= bytes.length) {
        throw new AppError('range_not_satisfiable', 'The range lies outside the file');
      }
      const to = range?.count === undefined ? bytes.length : Math.min(bytes.length, from + range.count);
      const body = Readable.from(chunksOf(bytes.subarray(from, to)), { objectMode: false });
      body.on('error', () => {});
      const onAbort = () => body.destroy(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      body.once('close', () => signal.removeEventListener('abort', onAbort));
      return { body, properties };
    },
    async head(name, { signal }) {
      signal.throwIfAborted();
      return blobs.get(name)?.properties;
    },
    async exists(name, { signal }) {
      signal.throwIfAborted();
      return blobs.has(name);
    },
    async delete(name, { signal, ifMatch }) {
      signal.throwIfAborted();
      const etag = blobs.get(name)?.properties.etag;
      return (ifMatch === undefined || ifMatch === etag) && blobs.delete(name);
    },
    async *list(prefix, { signal }) {
      const names = [...blobs.keys()].filter((name) => name.startsWith(prefix)).sort();
      for (const name of names) {
        signal.throwIfAborted();
        const blob = blobs.get(name);
        if (blob) yield blob.properties;
      }
    },
    async copyFrom(source, name, options) {
      const { body, properties } = await source.download(name, options);
      store(properties, await read(body, options.signal));
      return properties;
    },
    async sasUrl(name, { expiresAt, signal }) {
      signal.throwIfAborted();
      if (expiresAt - now() > maxLinkMs)
        throw new RangeError(`A link cannot live longer than ${maxLinkMs} ms`);
      const signature = createHash('sha256').update(`${container}/${name} ${expiresAt}`).digest('base64url');
      return `${url(name)}?se=${new Date(expiresAt).toISOString()}&sp=r&sig=${signature}`;
    },
  };
}

/** Reads a source to its end; on failure it is destroyed, as the port says. */
async function read(source: Readable | Uint8Array, signal: AbortSignal): Promise<Buffer> {
  signal.throwIfAborted();
  if (source instanceof Uint8Array) return Buffer.from(source);
  const chunks: Uint8Array[] = [];
  const onAbort = () => source.destroy(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    for await (const chunk of source) chunks.push(chunk);
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
  return Buffer.concat(chunks);
}

function* chunksOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}
