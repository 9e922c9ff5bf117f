import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

describe('a command that waits before a retry', () => {
  it('does not end before the retry', async () => {
    const room = new URL('../../../src/lib/', import.meta.url);
    const script = `
      import { systemClock } from '${room}core/index.ts';
      import { createResilience } from '${room}resilience/index.ts';
      const resilience = createResilience({ clock: systemClock, settings: { retryCapMs: 50 } });
      let tries = 0;
      const work = async () => {
        if (++tries === 1) throw Object.assign(new Error('busy'), { statusCode: 503 });
        return tries;
      };
      console.log(await resilience.run('blob', 'read', work, { signal: new AbortController().signal }));
    `;

    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);

    expect(stdout).toBe('2\n');
  });
});
