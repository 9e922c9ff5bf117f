import { defineConfig } from 'vitest/config';
import { closingLineReporter } from './tests/support/closing-line-reporter.ts';

/** Services (Azurite, PostgreSQL, the served bundle) are started once by the global set-ups and shared by the files of a project. */
const project = (name: string, extra: object = {}) => ({
  test: { name, include: [`tests/${name}/**/*.test.ts`], environment: 'node', ...extra },
});

/** Most wait for services for most of their time. Each makes databases, containers and queues of its own. */
const sideBySide = { maxWorkers: 2, sequence: { groupOrder: 0 } };

export default defineConfig({
  test: {
    reporters: ['default', closingLineReporter],
    // What runs in processes and worker threads of their own (the app under e2e, commands, the dump engine) is not counted.
    coverage: {
      include: ['src/**'],
      exclude: ['src/lib/backup/engine/vendor/**'],
      reporter: ['text'],
      skipFull: true,
      thresholds: {
        lines: 85,
        'src/lib/database/**': { lines: 95 },
        'src/lib/jobs/**': { lines: 95 },
        'src/lib/observability/**': { lines: 95 },
        'src/lib/resilience/**': { lines: 95 },
        'src/lib/storage/**': { lines: 95 },
      },
    },
    projects: [
      // No test of these changes what others see, so they share a process and load each module once.
      project('unit', { ...sideBySide, isolate: false, testTimeout: 20_000 }),
      project('architecture', { ...sideBySide, isolate: false, testTimeout: 20_000 }),
      project('integration', {
        ...sideBySide,
        globalSetup: './tests/support/services-setup.ts',
        testTimeout: 30_000,
        hookTimeout: 60_000,
      }),
      project('e2e', {
        // After the others, and one file after the other: they share an app, and some look at all that is in it.
        maxWorkers: 1,
        sequence: { groupOrder: 1 },
        globalSetup: './tests/support/app-setup.ts',
        testTimeout: 120_000,
        hookTimeout: 120_000,
      }),
    ],
  },
});
