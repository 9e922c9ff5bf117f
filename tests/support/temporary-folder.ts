import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Makes an empty folder that services can use, also when they are run under a lesser account than root. */
export function makeTemporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'crown-safe-test-'));
  chmodSync(folder, 0o711);
  return folder;
}
