import { readFileSync } from 'node:fs';
import { unexplainedAdvisories } from './supply-chain/advisories.ts';

/* `npm audit --json | node scripts/advisories.ts`: ends with 1 for an advisory that SECURITY.md does not explain. */

const explained = readFileSync(new URL('../SECURITY.md', import.meta.url), 'utf8');
const found = unexplainedAdvisories(JSON.parse(readFileSync(0, 'utf8')), explained);
for (const line of found) console.error(line);
if (found.length > 0) process.exitCode = 1;
