import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.ts';

const startedAt = performance.now();
const { files, startBytes, codeBytes } = await bundle(fileURLToPath(new URL('..', import.meta.url)));
const kilobytes = (bytes: number) => `${Math.round(bytes / 1024)} KB`;
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
console.log(
  `dist: ${files} files, ${kilobytes(startBytes)} of code loaded at start, ${kilobytes(codeBytes)} in all, ${seconds} s`,
);
