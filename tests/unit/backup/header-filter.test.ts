import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHeaderFilter } from '../../../src/lib/backup/engine/header-filter.ts';

const header = (serverVersion: string) => `--
-- PostgreSQL database dump
--

-- Dumped from database version ${serverVersion}
-- Dumped by pg_dump version 18.3

SET lock_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
`;
const setting = 'SET transaction_timeout = 0;\n';

function filtered(dump: string, cuts: readonly number[] = []): string {
  const filter = createHeaderFilter();
  const bytes = Buffer.from(dump);
  const places = [0, ...cuts, bytes.length].sort((a, b) => a - b);
  const chunks = places.slice(1).map((end, index) => filter.write(bytes.subarray(places[index], end)));
  return Buffer.concat([...chunks, filter.end()]).toString();
}

describe('the filter of the header', () => {
  it.each(['14.0', '15.18 (Debian 15.18-0+deb12u1)', '16beta1'])(
    'drops transaction_timeout for a server of version %s',
    (version) => {
      expect(filtered(header(version))).toBe(header(version).replace(setting, ''));
    },
  );

  it.each(['17.0', '18.4'])('keeps it for a server of version %s', (version) => {
    expect(filtered(header(version))).toBe(header(version));
  });

  it('drops it in the header only', () => {
    const data = `COPY public.t (a) FROM stdin;\n${setting}\\.\n`;

    expect(filtered(header('15.1') + data)).toBe(header('15.1').replace(setting, '') + data);
  });

  it('gives the same however the dump is cut', () => {
    const dump = `${header('16.2')}SELECT 1;\n`;
    const expected = dump.replace(setting, '');

    fc.assert(
      fc.property(fc.array(fc.nat(dump.length), { maxLength: 12 }), (cuts) => {
        expect(filtered(dump, cuts)).toBe(expected);
      }),
    );
  });

  it.each([
    ['a text without a header', 'x'.repeat(20_000)],
    ['a text that ends early', '-- Dumped from database version 15.1\n'],
    ['nothing', ''],
  ])('lets %s pass', (_, text) => {
    expect(filtered(text, [100])).toBe(text);
  });
});
