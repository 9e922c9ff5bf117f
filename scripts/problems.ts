import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { problemsDocument } from './problems-document.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = globSync('src/**/*.ts', { cwd: root }).map((path) => ({
  path: path.replaceAll('\\', '/'),
  text: readFileSync(`${root}${path}`, 'utf8'),
}));
writeFileSync(`${root}docs/errors.md`, problemsDocument(sources));
console.log('wrote docs/errors.md');
