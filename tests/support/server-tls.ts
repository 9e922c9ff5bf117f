import { expect, vi } from 'vitest';
import { runStatements } from './own-postgres.ts';

/** Has the server write a file into its data folder, which only the server's account can enter. */
export async function writeServerFile(url: string, name: string, text: string): Promise<void> {
  await runStatements(
    url,
    `copy (select unnest(string_to_array('${text.trim().replaceAll("'", "''")}', E'\\n'))) to program 'umask 077; cat > ${name}'`,
  );
}

/** Makes the server offer TLS, or not. */
export async function switchTls(url: string, state: 'on' | 'off'): Promise<void> {
  await runStatements(url, `alter system set ssl = ${state}`, 'select pg_reload_conf()');
  await vi.waitFor(async () => expect(await runStatements(url, 'show ssl')).toEqual([{ ssl: state }]), {
    timeout: 10_000,
  });
}
