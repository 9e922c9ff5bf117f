import { fileURLToPath } from 'node:url';
import { runCommand } from '../local/command.ts';
import { bundle } from './bundle.ts';

/* `npm run build`: the app, the command and the dump worker into dist. */

await runCommand(async () => {
  const startedAt = performance.now();
  const { files, startBytes, codeBytes } = await bundle(fileURLToPath(new URL('..', import.meta.url)));
  const kilobytes = (bytes: number) => `${Math.round(bytes / 1024)} KB`;
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(
    `dist: ${files} files, ${kilobytes(startBytes)} of code loaded at start, ${kilobytes(codeBytes)} in all, ${seconds} s`,
  );
});
