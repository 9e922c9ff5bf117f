import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const vendorFolder = new URL('../../../src/lib/backup/engine/vendor/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, vendorFolder));

it.each(['pg_dump.js', 'pg_dump.wasm'])('the vendored %s is the published one, byte for byte', (name) => {
  const expected = read('SHA256SUMS').toString();

  const digest = createHash('sha256').update(read(name)).digest('hex');

  expect(expected.split('\n')).toContain(`${digest}  ${name}`);
});
