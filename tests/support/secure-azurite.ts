import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { type Azurite, startAzurite } from '../../local/services/azurite.ts';
import { pickFreePorts } from '../../local/services/ports.ts';
import { makeSelfSigned, type SelfSigned } from './self-signed.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';

/** An Azurite over HTTPS, which takes tokens of an identity as well as its key. */
export interface SecureAzurite extends AsyncDisposable {
  readonly azurite: Azurite;
  /** The endpoints of one of its accounts. */
  endpointsOf(account: string): { readonly blob: string; readonly queue: string; readonly table: string };
  /** What this process trusts, for other servers in it. */
  readonly selfSigned: SelfSigned;
  /** What other processes must trust, as PEM. */
  readonly certificateFile: string;
}

/** Starts one with a certificate of its own, which this process trusts from now on. */
export async function startSecureAzurite(): Promise<SecureAzurite> {
  const folder = makeTemporaryFolder();
  const certificate = { certificateFile: join(folder, 'certificate.pem'), keyFile: join(folder, 'key.pem') };
  const selfSigned = makeSelfSigned();
  setDefaultCACertificates([...getCACertificates('default'), selfSigned.certificate]);
  await writeFile(certificate.certificateFile, selfSigned.certificate);
  await writeFile(certificate.keyFile, selfSigned.key, { mode: 0o600 });
  const [blob = 0, queue = 0, table = 0] = await pickFreePorts(3);
  const azurite = await startAzurite({ folder, temporary: true, ports: { blob, queue, table }, certificate });
  const endpoint = (port: number, account: string) => `https://127.0.0.1:${port}/${account}`;
  return {
    azurite,
    endpointsOf: (account) => ({
      blob: endpoint(blob, account),
      queue: endpoint(queue, account),
      table: endpoint(table, account),
    }),
    selfSigned,
    certificateFile: certificate.certificateFile,
    async [Symbol.asyncDispose]() {
      await azurite.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
