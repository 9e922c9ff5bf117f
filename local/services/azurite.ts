import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import process from 'node:process';
import { emulator } from '../../src/lib/storage/index.ts';
import { localHostname, requireFreePort } from './ports.ts';
import { defineService, type Service, type ServiceOptions } from './service.ts';

/** The three ports of the storage emulator. */
export interface AzuritePorts {
  readonly blob: number;
  readonly queue: number;
  readonly table: number;
}

/** PEM files of a certificate for 127.0.0.1, which whoever uses the emulator must trust, this process included. */
export interface Certificate {
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** The storage emulator, running. */
export interface Azurite extends Service {
  readonly connectionString: string;
}

type AzuriteOptions = ServiceOptions & {
  readonly ports: AzuritePorts;
  /** With one it speaks HTTPS, and takes any well-formed token of an identity in place of its key. */
  readonly certificate?: Certificate;
};

/**
 * Starts Azurite with its data under `<folder>/azurite` and waits until all three of its services answer.
 *
 * @throws LocalError when a port is taken, or Azurite does not start
 */
export async function startAzurite(options: AzuriteOptions): Promise<Azurite> {
  const { folder, ports, certificate, onUnexpectedExit } = options;
  const protocol = certificate ? 'https' : 'http';
  await requireFreePort(ports.blob, 'Azurite (blobs)', 'AZURITE_BLOB_PORT');
  await requireFreePort(ports.queue, 'Azurite (queues)', 'AZURITE_QUEUE_PORT');
  await requireFreePort(ports.table, 'Azurite (tables)', 'AZURITE_TABLE_PORT');
  const location = join(folder, 'azurite');
  mkdirSync(location, { recursive: true });
  const service = defineService({
    name: 'Azurite',
    program: {
      command: process.execPath,
      args: azuriteArguments(location, ports, certificate),
      temporaryFolder: options.temporary ? folder : undefined,
    },
    logFile: join(folder, 'azurite.log'),
    isReady: () => answers(ports, protocol),
    onUnexpectedExit,
  });
  await service.start();
  return { ...service, connectionString: connectionString(ports, protocol) };
}

function azuriteArguments(location: string, ports: AzuritePorts, certificate?: Certificate): string[] {
  const program = createRequire(import.meta.url).resolve('azurite/dist/src/azurite.js');
  const addresses = (['blob', 'queue', 'table'] as const).flatMap((service) => [
    ...[`--${service}Host`, localHostname],
    ...[`--${service}Port`, String(ports[service])],
  ]);
  const secure = certificate
    ? ['--oauth', 'basic', '--cert', certificate.certificateFile, '--key', certificate.keyFile]
    : [];
  // The SDK speaks a newer version of the protocol than Azurite knows, hence --skipApiVersionCheck.
  return [
    program,
    '--location',
    location,
    ...addresses,
    ...secure,
    '--silent',
    '--skipApiVersionCheck',
    '--disableTelemetry',
  ];
}

/** The connection string of an Azurite with these ports. */
export function connectionString(ports: AzuritePorts, protocol: 'http' | 'https' = 'http'): string {
  const endpoint = (port: number) => `${protocol}://${localHostname}:${port}/${emulator.name}`;
  return [
    `DefaultEndpointsProtocol=${protocol}`,
    `AccountName=${emulator.name}`,
    `AccountKey=${emulator.key}`,
    `BlobEndpoint=${endpoint(ports.blob)}`,
    `QueueEndpoint=${endpoint(ports.queue)}`,
    `TableEndpoint=${endpoint(ports.table)}`,
    '',
  ].join(';');
}

/** Whether all three services answer (with a 403, for want of a credential). */
async function answers(ports: AzuritePorts, protocol: string): Promise<boolean> {
  const asked = [ports.blob, ports.queue, ports.table].map(async (port) => {
    const answer = await fetch(`${protocol}://${localHostname}:${port}/${emulator.name}?comp=list`);
    await answer.body?.cancel();
  });
  return (await Promise.allSettled(asked)).every(({ status }) => status === 'fulfilled');
}
