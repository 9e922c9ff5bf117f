import { describe, expect, it } from 'vitest';
import { ambientRules, ambientUses } from './checks/ambient.ts';
import { readSources } from './reading/project-files.ts';
import { parseSource } from './reading/source-file.ts';

const usesOf = (text: string, path = 'src/lib/files/a.ts') => ambientUses([parseSource(path, text)]);

describe('time, timers, randomness, environment and console', () => {
  it.each([
    ['process.env.HOME', 'process.env'],
    ['globalThis.process.env', 'process.env'],
    ["import { env } from 'node:process'", 'process.env'],
    ['Date.now()', 'Date.now'],
    ['map(Date.now)', 'Date.now'],
    ['new Date()', 'Date()'],
    ['new Date', 'Date()'],
    ['Math.random()', 'Math.random'],
    ['setTimeout(work, 5)', 'setTimeout'],
    ['const { after = setTimeout } = options', 'setTimeout'],
    ['const ports = { setTimeout }', 'setTimeout'],
    ['globalThis.setInterval(work, 5)', 'setInterval'],
    ["import { setTimeout as wait } from 'node:timers/promises'", 'node:timers/promises'],
    ['performance.now()', 'performance'],
    ['AbortSignal.timeout(5)', 'AbortSignal.timeout'],
    ["import { randomUUID } from 'node:crypto'", 'randomUUID'],
    ['crypto.randomUUID()', 'crypto.randomUUID'],
    ['globalThis.crypto.getRandomValues(bytes)', 'crypto.getRandomValues'],
    ["console.log('here')", 'console'],
  ])('are refused as %s', (text, what) => {
    const uses = usesOf(text);

    expect(uses).toContainEqual(expect.stringContaining(`src/lib/files/a.ts:1 uses ${what}: `));
  });

  it.each([
    'socket.setTimeout(5)',
    'new Date(0)',
    'Date.parse(text)',
    'clock.random()',
    'const ports = { setTimeout: clock.after }',
    'clearTimeout(timer)',
    "throw new Error('no process.env, Date.now() or console here')",
    '// setTimeout(work, 5)',
    "import { createHmac } from 'node:crypto'",
  ])('are not seen in %s', (text) => {
    expect(usesOf(text)).toEqual([]);
  });

  it('are accepted in their own place', () => {
    expect(usesOf('process.env', 'src/lib/config/load.ts')).toEqual([]);
    expect(usesOf('Date.now(); setTimeout(work, 5)', 'src/lib/core/clock.ts')).toEqual([]);
    expect(usesOf('crypto.randomUUID()', 'src/lib/core/ids.ts')).toEqual([]);
    expect(usesOf("console.log('here')", 'src/cli/doctor.ts')).toEqual([]);
  });

  it('have one place each in src', () => {
    const files = readSources('src');

    expect(ambientUses(files)).toEqual([]);
    for (const { home, what } of ambientRules.filter(({ instead }) => instead !== 'take a Logger')) {
      expect(
        files.some(({ path }) => home.test(path)),
        `nothing lies at ${home} for ${what}`,
      ).toBe(true);
    }
  });
});
