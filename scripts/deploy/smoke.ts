import { readFile } from 'node:fs/promises';
import { runCommand } from '../../local/command.ts';
import { errorCode, LocalError } from '../../local/local-error.ts';
import { systemClock } from '../../src/lib/core/index.ts';
import { readAzdEnvironment } from './azd-environment.ts';
import { httpsAddress } from './request.ts';
import { smokeTest } from './smoke-test.ts';

/* `npm run deploy:smoke`, after `azd deploy`: succeeds when the app answers as what lies in the folder package. */

/** A first start has to fetch the package, find its roles in effect and open its first connections. */
const forMs = 10 * 60_000;

await runCommand(async ({ signal }) => {
  const { SERVICE_API_URI } = await readAzdEnvironment('SERVICE_API_URI');
  const apiUri = httpsAddress('SERVICE_API_URI', SERVICE_API_URI);
  const version = await packagedVersion();
  const patience = { clock: systemClock, everyMs: 5_000, forMs, signal, say: console.log };
  await smokeTest({ apiUri, version }, patience);
  console.log(`${apiUri} works, as version ${version}`);
});

async function packagedVersion(): Promise<string> {
  const text = await readFile(new URL('../../package/package.json', import.meta.url), 'utf8').catch(
    (cause) => {
      if (errorCode(cause) !== 'ENOENT') throw cause;
      throw new LocalError('There is no folder package to compare with. Run npm run package.', { cause });
    },
  );
  return JSON.parse(text).version;
}
