import { once } from 'node:events';
import { open, unlink } from 'node:fs/promises';
import process from 'node:process';
import { openLocks } from './open-locks.ts';

/*
 * A process that shares a lock with others: `node lease-holder.ts <connection string> <container> <lock> <seconds>
 * [<file> <rounds>]`. With a file it enters as often as it is told, and fails when somebody else is inside; without one
 * it says `held` and keeps the lock until it is killed.
 */
const [connectionString = '', container = '', name = '', leaseSeconds = '', inside, rounds] =
  process.argv.slice(2);
const lock = openLocks(connectionString, container, Number(leaseSeconds) * 1000);
const { signal } = new AbortController();

async function holdForEver(held: AbortSignal): Promise<void> {
  process.stdout.write('held\n');
  await once(held, 'abort');
}

/** The file stands while somebody is inside; whoever finds it there has not been alone. */
async function enter(file: string): Promise<void> {
  await (await open(file, 'wx')).close();
  // Something that takes as long as others need to get in.
  await lock.withLease(`${name} ${process.pid}`, async () => {}, { signal });
  await unlink(file);
}

if (inside === undefined) await lock.withLease(name, holdForEver, { signal });
else {
  for (let left = Number(rounds); left > 0; ) {
    if (await lock.withLease(name, () => enter(inside), { signal })) left--;
  }
}
