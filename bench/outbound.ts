import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { systemClock } from '../src/lib/core/index.ts';
import { createOutbound } from '../src/lib/outbound/index.ts';
import { createResilience } from '../src/lib/resilience/index.ts';

/*
 * `npm run bench:outbound`: what it costs to call others through lib/outbound (list, addresses, policy, bounds), against
 * the built-in fetch, which has none of these: 500 GETs of 1 KB, 40 at a time. Each client has processes of its own: undici,
 * once loaded, stands behind the built-in fetch as well. In processor time, which others on the machine disturb least.
 */

const calls = 500;
const atATime = 40;
const warmUps = 3;
const rounds = 9;
const processesEach = 5;

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** Runs one round; processor time in milliseconds. */
async function measure(call: () => Promise<unknown>): Promise<number> {
  let left = calls;
  const lane = async () => {
    while (left-- > 0) await call();
  };
  const started = process.cpuUsage();
  await Promise.all(Array.from({ length: atATime }, lane));
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1000;
}

/** The work of a client process: prints the median of its rounds. */
async function runClient(kind: string, url: string): Promise<void> {
  const outbound = createOutbound({
    resilience: createResilience({ clock: systemClock, bulkheadSizes: { webhook: atATime } }),
    allowedHosts: [new URL(url).host],
    allowLoopback: true,
    propagate: () => ({ 'x-correlation-id': 'bench-outbound' }),
  });
  const { signal } = new AbortController();
  const call =
    kind === 'outbound'
      ? () => outbound.fetch(url, { signal })
      : async () => (await fetch(url, { signal })).arrayBuffer();
  for (let i = 0; i < warmUps; i++) await measure(call);
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) times.push(await measure(call));
  await outbound.close();
  console.log(median(times));
}

async function compare(): Promise<void> {
  const body = Buffer.alloc(1024);
  const server = createServer((_, response) => response.end(body)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const clientMs = async (kind: string) => {
    const { stdout } = await promisify(execFile)(process.execPath, [import.meta.filename, kind, url]);
    return Number(stdout);
  };
  const ratios: number[] = [];
  for (let i = 0; i < processesEach; i++) {
    const [fetchMs, outboundMs] = [await clientMs('fetch'), await clientMs('outbound')];
    ratios.push(outboundMs / fetchMs);
    console.log(`fetch ${fetchMs.toFixed(0)} ms, outbound ${outboundMs.toFixed(0)} ms of processor time`);
  }
  server.close();
  const [lowest, highest] = [Math.min(...ratios), Math.max(...ratios)];
  console.log(`ratio ${median(ratios).toFixed(2)} (${lowest.toFixed(2)}–${highest.toFixed(2)})`);
}

const [kind, url] = process.argv.slice(2);
await (kind && url ? runClient(kind, url) : compare());
