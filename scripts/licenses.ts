import { readFileSync } from 'node:fs';
import { licenceGroups } from './supply-chain/licences.ts';

/* `npm run licenses`: the licences of what is needed at run time; ends with 1 when one of them is unknown or not permissive. */

const lock = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'));
for (const { licence, packages, isPermissive } of licenceGroups(lock)) {
  console.log(`${licence}${isPermissive ? '' : ' (REFUSED)'}: ${packages.join(', ')}`);
  if (!isPermissive) process.exitCode = 1;
}
