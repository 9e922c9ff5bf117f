import { describe, expect, it } from 'vitest';
import { waysOut } from './checks/outgoing.ts';
import { readSources } from './reading/project-files.ts';
import { parseSource } from './reading/source-file.ts';

/**
 * Every place in `src` from where a connection can be opened, with what decides where it leads. Beside them are the SDKs, pg
 * among them, whose addresses are settings.
 */
const known: Readonly<Record<string, string>> = {
  'src/lib/outbound/agent.ts undici': 'the list of hosts, and addresses that are public',
  'src/lib/outbound/destinations.ts node:net': 'tells addresses from names',
  'src/lib/outbound/outbound.ts node:dns': 'looks names up for the list of hosts',
  'src/lib/http/client-address.ts node:net': 'tells addresses from names',
  'src/lib/storage/connection.ts node:net': 'tells addresses from names',
  'src/lib/backup/engine/dump-database.ts node:net': 'tells addresses from names',
  'src/lib/backup/engine/server-socket.ts node:net': 'DATABASE_DIRECT_URL',
  'src/lib/backup/engine/server-socket.ts node:tls': 'DATABASE_DIRECT_URL',
  'src/lib/storage/delegation-key.ts fetch': 'no call: what it is given to fetch a key with has this name',
  'src/lib/security/token-cache.ts fetch': 'no call: what it is given to fetch a token with has this name',
};

const findIn = (text: string) => waysOut([parseSource('src/a.ts', text)]);

describe('a way out', () => {
  it.each([
    ["import http from 'node:http';", 'src/a.ts node:http'],
    ["import { connect } from 'tls';", 'src/a.ts tls'],
    ["const { default: undici } = await import('undici');", 'src/a.ts undici'],
    ["export { lookup } from 'node:dns/promises';", 'src/a.ts node:dns/promises'],
    ["import { spawn } from 'node:child_process';", 'src/a.ts node:child_process'],
    ['await fetch(body.url)', 'src/a.ts fetch'],
    ['await globalThis.fetch(body.url)', 'src/a.ts fetch'],
    ['new WebSocket(url)', 'src/a.ts WebSocket'],
  ])('is found in %s', (text, found) => {
    expect(findIn(text)).toEqual([found]);
  });

  it.each([
    "import type { IncomingMessage } from 'node:http';",
    'outbound.fetch(url, request)',
    "const words = 'fetch(url)'; // fetch(url)",
  ])('is not found in %s', (text) => {
    expect(findIn(text)).toEqual([]);
  });

  it('is nowhere but where it is listed with what decides where it leads', () => {
    expect(waysOut(readSources('src')).toSorted()).toEqual(Object.keys(known).toSorted());
  });
});
