import { execFile } from 'node:child_process';
import process from 'node:process';
import { promisify } from 'node:util';
import { errorCode, LocalError } from '../../local/local-error.ts';

/**
 * Values of the azd environment: outputs of the infrastructure and what was set with `azd env set`. A hook finds them in
 * its own environment; a command run by hand asks azd, and then finds them there as a hook does.
 *
 * @throws LocalError when one is missing
 */
export async function readAzdEnvironment<Name extends string>(
  ...names: readonly Name[]
): Promise<Readonly<Record<Name, string>>> {
  const missing = () => names.filter((name) => !process.env[name]);
  if (missing().length > 0) Object.assign(process.env, { ...(await askAzd()), ...process.env });
  if (missing().length > 0)
    throw new LocalError(
      `azd knows no ${missing().join(', ')}. Run \`azd provision\` first, or \`azd env refresh\` for an environment that somebody else has made.`,
    );
  return Object.fromEntries(names.map((name) => [name, process.env[name]])) as Record<Name, string>;
}

async function askAzd(): Promise<Record<string, string>> {
  try {
    const { stdout } = await promisify(execFile)('azd', ['env', 'get-values', '--output', 'json']);
    return JSON.parse(stdout);
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') {
      throw new LocalError(
        'The Azure Developer CLI is not installed here (https://aka.ms/azd), and the values of the environment are not set as variables.',
        { cause },
      );
    }
    throw new LocalError(
      `azd does not tell the values of its environment (${cause instanceof Error ? cause.message.trim() : cause}). \`azd env list\` shows which there are.`,
      { cause },
    );
  }
}
