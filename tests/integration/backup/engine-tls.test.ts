import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { createDatabase, dropDatabase } from '../../support/databases.ts';
import { makeSelfSigned } from '../../support/self-signed.ts';
import { connectionTo, dumpText, fillLarge, makeDatabase, runSql, startDump } from './sources.ts';

const { key, certificate } = makeSelfSigned();
let databaseUrl: string;

/** Has the server write a file into its data folder, which only the server's account can enter. */
const writeFile = (name: string, text: string) =>
  runSql(
    inject('databaseUrl'),
    `copy (select unnest(string_to_array('${text.trim()}', E'\\n'))) to program 'umask 077; cat > ${name}'`,
  );

async function switchTls(state: 'on' | 'off'): Promise<void> {
  const url = inject('databaseUrl');
  await runSql(url, `alter system set ssl = ${state}`);
  await runSql(url, 'select pg_reload_conf()');
  await vi.waitFor(async () => expect(await runSql(url, 'show ssl')).toEqual([{ ssl: state }]), {
    timeout: 10_000,
  });
}

beforeAll(async () => {
  databaseUrl = await createDatabase(inject('databaseUrl'));
  await fillLarge(databaseUrl);
  await writeFile('server.key', key);
  await writeFile('server.crt', certificate);
  await switchTls('on');
});

afterAll(async () => {
  await switchTls('off');
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
    await switchTls('off');

    const dump = dumpText(connectionTo(url, { tls: { rejectUnauthorized: false } }));

    await expect(dump).rejects.toThrow('The server does not offer TLS');
  });
});
