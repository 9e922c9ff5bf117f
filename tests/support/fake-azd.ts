import { chmodSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';

/** What the stand-in for the Azure Developer CLI knows. */
export interface AzdKnowledge {
  /** Tokens by scope; for another scope nobody is logged in. */
  readonly tokens?: Readonly<Record<string, string>>;
  /** Values of the azd environment. */
  readonly values?: Readonly<Record<string, string>>;
}

/**
 * Puts a program `azd` into a folder, which answers `azd auth token` and `azd env get-values` as the real one does.
 *
 * @returns the `PATH` that finds it before any other
 */
export function installFakeAzd(folder: string, { tokens = {}, values = {} }: AzdKnowledge): string {
  const program = `#!${process.execPath}
const args = process.argv.slice(2);
const token = ${JSON.stringify(tokens)}[args[args.indexOf('--scope') + 1]];
if (args.slice(0, 2).join(' ') === 'env get-values') console.log(JSON.stringify(${JSON.stringify(values)}));
else if (token) console.log(JSON.stringify({ token, expiresOn: new Date(Date.now() + 3600e3).toISOString() }));
else {
  console.error(JSON.stringify({ error: 'not logged in, run \`azd auth login\` to login' }));
  process.exitCode = 1;
}
`;
  const path = join(folder, 'azd');
  writeFileSync(path, program);
  chmodSync(path, 0o755);
  return [folder, process.env['PATH']].join(delimiter);
}
