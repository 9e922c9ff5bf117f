import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createDatabase, dropDatabase } from '../../support/databases.ts';
import { makeSelfSigned } from '../../support/self-signed.ts';
import { switchTls, writeServerFile } from '../../support/server-tls.ts';
import { connectionTo, dumpText, fillLarge, makeDatabase, startDump } from './sources.ts';

const { key, certificate } = makeSelfSigned();
let databaseUrl: string;

beforeAll(async () => {
  databaseUrl = await createDatabase(inject('databaseUrl'));
  await fillLarge(databaseUrl);
  await writeServerFile(inject('databaseUrl'), 'server.key', key);
  await writeServerFile(inject('databaseUrl'), 'server.crt', certificate);
  await switchTls(inject('databaseUrl'), 'on');
});

afterAll(async () => {
  await switchTls(inject('databaseUrl'), 'off');
  await dropDatabase(databaseUrl);
});

describe('a dump over TLS', () => {
  it('authenticates by SCRAM and is the same as without', async () => {
    const tls = { rejectUnauthorized: true, ca: certificate };

    const dump = await buffer(startDump(connectionTo(databaseUrl, { tls })));
    const plain = await buffer(startDump(connectionTo(databaseUrl)));

    expect(dump.length).toBeGreaterThan(30 * 1024 * 1024);
    expect(dump.equals(plain)).toBe(true);
  });

  it('may leave the certificate unverified', async () => {
    const dump = await dumpText(connectionTo(databaseUrl, { tls: { rejectUnauthorized: false } }));

    expect(dump).toContain('-- PostgreSQL database dump complete');
  });

  it.each([
    ['nobody vouches for', {}, { rejectUnauthorized: true }],
    ['is for another name', { host: 'localhost' }, { rejectUnauthorized: true, ca: certificate }],
  ])('refuses a certificate that %s', async (_, place, tls) => {
    const dump = dumpText(connectionTo(databaseUrl, { ...place, tls }));

    await expect(dump).rejects.toMatchObject({ name: 'DumpError', code: 'connect_failed' });
    await expect(dump).rejects.toThrow(/certificate|altnames/);
  });

  it('tells of a wrong password in the words of pg_dump', async () => {
    const tls = { rejectUnauthorized: false };

    const dump = dumpText(connectionTo(databaseUrl, { password: 'wrong', tls }));

    await expect(dump).rejects.toThrow('password authentication failed');
  });

  it('is refused by a server without TLS', async () => {
    const url = await makeDatabase();
    await switchTls(inject('databaseUrl'), 'off');

    const dump = dumpText(connectionTo(url, { tls: { rejectUnauthorized: false } }));

    await expect(dump).rejects.toThrow('The server does not offer TLS');
  });
});
