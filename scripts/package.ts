import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { LocalError } from '../local/local-error.ts';
import { bundleReport } from './packaging/bundle-report.ts';
import { makePackage } from './packaging/make-package.ts';
import { replaceFolder } from './packaging/replace-folder.ts';

/* `npm run package`: what is deployed, into the folder package; says what is in it. */

const root = fileURLToPath(new URL('..', import.meta.url));
const startedAt = performance.now();
try {
  const make = (folder: string) => makePackage(root, folder);
  const made = await replaceFolder(join(root, 'package'), join(root, '.package'), 'npm run package', make);
  const { files, sizeBytes, sha256 } = made.content;
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(bundleReport(made.metafile, made.content));
  console.log(
    `\npackage: version ${made.version}, ${files.length} files, ${(sizeBytes / 1024 / 1024).toFixed(1)} MB, ${seconds} s`,
  );
  console.log(`sha256 ${sha256}`);
} catch (error) {
  console.error(error instanceof LocalError ? error.message : error);
  process.exitCode = 1;
}
