import { describe, expect, it } from 'vitest';
import type { Answer } from '../../support/misbehaving-server.ts';
import { toArray } from '../../support/to-array.ts';
import { openBadService, refuse } from './bad-service.ts';

const { signal } = new AbortController();

/** One answer to a list of blobs; the service may give fewer than there are, and even none, before the last. */
function blobPage(names: readonly string[], next = ''): Answer {
  const blobs = names.map(
    (name) =>
      `<Blob><Name>${name}</Name><Properties><Last-Modified>Thu, 01 Jan 2026 00:00:00 GMT</Last-Modified><Etag>0x1</Etag><Content-Length>1</Content-Length><Content-Type>image/png</Content-Type><BlobType>BlockBlob</BlobType></Properties></Blob>`,
  );
  const body = `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="photos"><Prefix>a</Prefix><Blobs>${blobs.join('')}</Blobs><NextMarker>${next}</NextMarker></EnumerationResults>`;
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/xml' }).end(body);
  };
}

/** One answer to a query of a table, likewise. */
function rowPage(rowKeys: readonly string[], next?: string): Answer {
  const value = rowKeys.map((RowKey) => ({ PartitionKey: 'p', RowKey, 'odata.etag': 'W/"1"' }));
  const more =
    next === undefined
      ? {}
      : { 'x-ms-continuation-NextPartitionKey': 'p', 'x-ms-continuation-NextRowKey': next };
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json;odata=minimalmetadata', ...more });
    response.end(JSON.stringify({ value }));
  };
}

const inTurn =
  (...answers: readonly Answer[]): Answer =>
  (request, response, number) =>
    (answers[number - 1] ?? refuse(500, 'TooMany'))(request, response, number);
const parameter = (url: string, name: string) => new URL(url, 'http://a').searchParams.get(name);

describe('a list of blobs', () => {
  it('goes on where an answer ended, over empty answers and failures', async () => {
    await using service = await openBadService(
      inTurn(
        blobPage(['a1', 'a2'], 'm&amp;1'),
        refuse(503, 'ServerBusy'),
        blobPage([], 'm2'),
        blobPage(['a3']),
      ),
    );

    const listed = await toArray(service.blobs.list('a', { signal }));

    const asked = service.server.requests.map(({ url }) => parameter(url, 'marker'));
    expect(listed.map(({ name, etag }) => [name, etag])).toEqual(
      ['a1', 'a2', 'a3'].map((name) => [name, '"0x1"']),
    );
    expect(asked).toEqual([null, 'm&1', 'm&1', 'm2']);
  });

  it('asks for no more than is taken', async () => {
    await using service = await openBadService(inTurn(blobPage(['a1'], 'm1')));

    for await (const { name } of service.blobs.list('a', { signal })) {
      expect(name).toBe('a1');
      break;
    }

    expect(service.server.requests).toHaveLength(1);
  });
});

describe('a query of a table', () => {
  it('goes on where an answer ended, over empty answers and failures', async () => {
    await using service = await openBadService(
      inTurn(rowPage(['1', '2'], '3'), refuse(503, 'ServerBusy'), rowPage([], '4'), rowPage(['4'])),
    );

    const rows = await toArray(service.table.query({ partitionKey: 'p' }, { signal }));

    const asked = service.server.requests.map(({ url }) => parameter(url, 'NextRowKey'));
    expect(rows.map(({ entity }) => entity.rowKey)).toEqual(['1', '2', '4']);
    expect(asked).toEqual([null, '3', '3', '4']);
  });

  it('asks for as many rows as are wanted, and gives no more', async () => {
    await using service = await openBadService(
      inTurn(rowPage(['1', '2'], '3'), rowPage(['3', '4', '5'], '6')),
    );

    const rows = await toArray(service.table.query({ partitionKey: 'p', limit: 4 }, { signal }));

    const asked = service.server.requests.map(({ url }) => parameter(url, '$top'));
    expect(rows.map(({ entity }) => entity.rowKey)).toEqual(['1', '2', '3', '4']);
    expect(asked).toEqual(['4', '2']);
  });
});
