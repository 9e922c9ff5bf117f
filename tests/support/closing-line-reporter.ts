import process from 'node:process';
import type { Reporter, TestModule } from 'vitest/node';

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/**
 * Ends the output with one line that people and machines can read: `12 passed, 0 failed`, and `, 1 skipped` where some
 * were. A file or hook that broke outside of any test, and an error nobody caught, count as failed; a run that failed
 * for another reason (services that did not start) has at least one failure.
 */
export const closingLineReporter: Reporter = {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) count(module, counts);
    // Tearing the services down may still print something.
    process.once('exit', (exitCode) => {
      if (exitCode !== 0 && counts.failed === 0) counts.failed = 1;
      console.log(closingLine(counts));
    });
  },
};

function count(module: TestModule, counts: Counts): void {
  let failedTests = 0;
  for (const test of module.children.allTests()) {
    const { state } = test.result();
    if (state === 'passed') counts.passed += 1;
    else if (state === 'failed') failedTests += 1;
    else counts.skipped += 1;
  }
  const brokenOutsideOfTests = !module.ok() && failedTests === 0;
  counts.failed += brokenOutsideOfTests ? 1 : failedTests;
}

function closingLine({ passed, failed, skipped }: Counts): string {
  const line = `${passed} passed, ${failed} failed`;
  return skipped > 0 ? `${line}, ${skipped} skipped` : line;
}
