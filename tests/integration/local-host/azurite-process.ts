import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { emulator } from '../../../src/lib/storage/index.ts';

/** The queue service of one Azurite process that keeps everything in memory. */
export interface AzuriteProcess {
  readonly port: number;
  readonly connectionString: string;
  stop(): Promise<void>;
}

/** @param port - the port of an earlier process, to come back where it was; otherwise any free one */
export async function startAzurite(port = 0): Promise<AzuriteProcess> {
  const script = resolve('node_modules/azurite/dist/src/queue/main.js');
  const options = [
    '--silent',
    '--skipApiVersionCheck',
    '--disableTelemetry',
    '--inMemoryPersistence',
    '--queueHost',
    '127.0.0.1',
  ];
  const child = spawn(process.execPath, [script, ...options, '--queuePort', `${port}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const found = await listeningPort(child);
  const endpoint = `http://127.0.0.1:${found}/devstoreaccount1`;
  return {
    port: found,
    connectionString: `DefaultEndpointsProtocol=http;AccountName=${emulator.name};AccountKey=${emulator.key};QueueEndpoint=${endpoint};`,
    async stop() {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

async function listeningPort(child: ChildProcess): Promise<number> {
  if (!child.stdout) throw new Error('Azurite has no output');
  for await (const line of createInterface(child.stdout)) {
    const [, port] = /successfully listens? (?:on|at) http:\/\/127\.0\.0\.1:(\d+)/i.exec(line) ?? [];
    if (port) return Number(port);
  }
  throw new Error('Azurite ended before it listened');
}
