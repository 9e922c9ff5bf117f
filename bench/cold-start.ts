import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { startLocalHost } from '../local/host/index.ts';

/*
 * `npm run bench:cold-start -- before=<package> after=<package>`: how long a fresh process of a packaged app takes until its
 * first HTTP answer, in the local host. One package is compared with others by turns, so that what else goes on at the
 * machine meets all of them; each is also started with a collector, to which it sends its telemetry.
 */

const runs = 15;

/** Enough to start with; the liveness that is asked for needs neither. */
const settings = {
  PATH: process.env['PATH'] ?? '',
  ENVIRONMENT: 'test',
  SECRET_KEY: 'only-for-this-measurement-0123456789',
  DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/nothing',
  AzureWebJobsStorage: 'UseDevelopmentStorage=true',
  'AzureWebJobs.jobs.Disabled': 'true',
};

interface Variant {
  readonly label: string;
  readonly appFolder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timesMs: number[];
}

async function timeOneStart({ appFolder, env }: Variant): Promise<number> {
  const stateFolder = await mkdtemp(join(tmpdir(), 'crown-safe-bench-'));
  const startedMs = performance.now();
  const host = await startLocalHost({ appFolder, port: 0, env, stateFolder, log: () => {} });
  try {
    const answer = await fetch(`${host.url}/api/v1/health/live`);
    if (answer.status !== 200) throw new Error(`answered ${answer.status}`);
    await answer.arrayBuffer();
    return performance.now() - startedMs;
  } finally {
    await host.stop();
    await rm(stateFolder, { recursive: true, force: true });
  }
}

const packages = process.argv.slice(2).map((argument) => argument.split('='));
if (packages.length === 0 || packages.some(([, folder]) => !folder)) {
  console.error('Name at least one package: label=folder');
  process.exit(1);
}
const collector = createServer((request, response) => {
  request.resume();
  response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
});
await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
const variants: readonly Variant[] = packages.flatMap(([label = '', appFolder = '']) => [
  { label, appFolder, env: settings, timesMs: [] },
  {
    label: `${label}, with a collector`,
    appFolder,
    env: { ...settings, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint },
    timesMs: [],
  },
]);

const [cpu] = cpus();
console.log(
  `Node ${process.version}, ${cpus().length} × ${cpu?.model}, load ${loadavg()[0]?.toFixed(2)} at the start; ${runs} starts each, by turns.\n`,
);
for (const variant of variants) await timeOneStart(variant); // The files are in the cache of the system from here on.
for (let run = 0; run < runs; run++)
  for (const variant of variants) variant.timesMs.push(await timeOneStart(variant));
console.log('| package | least | median | most |\n|---|---|---|---|');
for (const { label, timesMs } of variants) {
  const sorted = timesMs.toSorted((a, b) => a - b);
  const at = (share: number) => `${sorted[Math.round(share * (sorted.length - 1))]?.toFixed(0)} ms`;
  console.log(`| ${label} | ${at(0)} | ${at(0.5)} | ${at(1)} |`);
}
collector.close();
