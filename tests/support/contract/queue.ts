import { describe, expect, it } from 'vitest';
import type { Queue } from '../../../src/lib/storage/index.ts';

const { signal } = new AbortController();

/** What every queue does. `texts` reads the messages that can be seen now, oldest first. */
export function describeQueue(
  adapter: string,
  open: () => { readonly queue: Queue; readonly texts: () => Promise<readonly string[]> },
): void {
  describe(`${adapter}: queue`, () => {
    it('delivers texts as they are', async () => {
      const { queue, texts } = open();
      const sent = ['{"kind":"backup","id":"1"}', '<&> "ünïcode" ✓'];

      for (const text of sent) await queue.send(text, { signal });

      expect(await texts()).toEqual(sent);
      expect(await queue.approximateLength({ signal })).toBe(2);
    });

    it('hides a message as long as it is told to, and counts it', async () => {
      const { queue, texts } = open();

      await queue.send('later', { signal, visibilityDelaySeconds: 60 });

      expect(await texts()).toEqual([]);
      expect(await queue.approximateLength({ signal })).toBe(1);
    });

    it('counts nothing where nothing was sent', async () => {
      const { queue } = open();

      expect(await queue.approximateLength({ signal })).toBe(0);
    });

    it('refuses a message that is too long', async () => {
      const { queue } = open();

      const send = queue.send('x'.repeat(65_537), { signal });

      await expect(send).rejects.toMatchObject({ name: 'AppError', code: 'upstream' });
    });

    it('sends nothing under a signal that has aborted', async () => {
      const { queue } = open();
      const aborted = { signal: AbortSignal.abort(new Error('over')) };

      await expect(queue.send('x', aborted)).rejects.toThrow('over');
      expect(await queue.approximateLength({ signal })).toBe(0);
    });
  });
}
