import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { describe, expect, it } from 'vitest';

const src = new URL('../../../src/', import.meta.url).href;

/** Runs code in a process that is observed as the worker's is, and reads what it has written. */
function observed(code: string) {
  const program = `
    import { createLogger, runInContext } from '${src}lib/observability/index.ts';
    import { systemClock } from '${src}lib/core/index.ts';
    import { observeProcess } from '${src}observe-process.ts';
    const write = (line: string) => process.stdout.write(line + '\\n');
    const logger = createLogger({ clock: systemClock, level: 'info', write });
    observeProcess(logger, process);
    // As the worker does.
    process.on('uncaughtException', () => process.exit(1));
    const context = { correlationId: 'correlation-1', functionName: 'jobs', requestId: 'request-1', write: () => {} };
    ${code}`;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module-typescript', '--eval', program],
    { encoding: 'utf8', timeout: 20_000 },
  );
  const lines = stdout.split('\n').filter((line) => line !== '');
  return { status, stderr, entries: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('a process that is observed', () => {
  it.each([
    [
      'an error that nobody caught',
      "setTimeout(() => { throw new Error('token=hunter2') });",
      'uncaughtException',
    ],
    ['a rejected promise', "void Promise.reject(new Error('token=hunter2'));", 'unhandledRejection'],
  ])('writes %s down as JSON, redacted, and ends as it would without', (_, code, origin) => {
    const { status, stderr, entries } = observed(code);

    expect(stderr).toBe('');
    expect(status).toBe(1);
    expect(entries).toEqual([
      expect.objectContaining({
        level: 'error',
        module: 'process',
        message: 'an error that nobody caught ends the process',
        origin,
        error: { name: 'Error', message: 'token=[redacted]', stack: expect.stringContaining('    at ') },
      }),
    ]);
  });

  it('names the invocation, past the log of the platform that will not be sent any more, with what was kept of it', () => {
    const { status, entries } = observed(`runInContext(context, () => {
      logger.debug('a detail');
      setTimeout(() => { throw new Error('lost'); });
    });`);

    expect(status).toBe(1);
    expect(entries).toMatchObject([
      { level: 'debug', message: 'a detail', request_id: 'request-1' },
      {
        level: 'error',
        request_id: 'request-1',
        correlation_id: 'correlation-1',
        error: { message: 'lost' },
      },
    ]);
  });

  it('writes warnings of Node.js down as JSON, and goes on', () => {
    const { status, stderr, entries } = observed("process.emitWarning('old', 'DeprecationWarning', 'DEP0');");

    expect([status, stderr]).toEqual([0, '']);
    expect(entries).toMatchObject([
      {
        level: 'warning',
        message: 'the runtime warns',
        error: { name: 'DeprecationWarning', code: 'DEP0', message: 'old' },
      },
    ]);
  });
});
