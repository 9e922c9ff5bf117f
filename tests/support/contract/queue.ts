import { describe, expect, it } from 'vitest';
import type { Queue, QueueMessage } from '../../../src/lib/storage/index.ts';

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

    it('shows a message when its time has come', async () => {
      const { queue, texts } = open();

      await queue.send('soon', { signal, visibilityDelaySeconds: 1 });

      const before = await texts();
      await expect.poll(texts, { timeout: 5_000 }).toEqual(['soon']);
      expect(before).toEqual([]);
    });

    it('hides a message for seven days at the most', async () => {
      const { queue } = open();
      const weekSeconds = 7 * 24 * 60 * 60;

      await queue.send('late', { signal, visibilityDelaySeconds: weekSeconds });
      const tooLate = queue.send('never', { signal, visibilityDelaySeconds: weekSeconds + 1 });

      await expect(tooLate).rejects.toMatchObject({ name: 'AppError', code: 'upstream' });
      expect(await queue.approximateLength({ signal })).toBe(1);
    });

    it('counts nothing where nothing was sent', async () => {
      const { queue } = open();

      expect(await queue.approximateLength({ signal })).toBe(0);
    });

    it('takes 64 KiB, and refuses more, also when its characters are fewer', async () => {
      const { queue, texts } = open();
      const longest = 'x'.repeat(65_536);

      await queue.send(longest, { signal });
      const refused = await Promise.allSettled(
        [`${longest}x`, 'ü'.repeat(32_769)].map((text) => queue.send(text, { signal })),
      );

      const upstream = expect.objectContaining({ name: 'AppError', code: 'upstream' });
      expect(refused).toEqual([
        { status: 'rejected', reason: upstream },
        { status: 'rejected', reason: upstream },
      ]);
      expect(await texts()).toEqual([longest]);
    });

    it('sends nothing under a signal that has aborted', async () => {
      const { queue } = open();
      const aborted = { signal: AbortSignal.abort(new Error('over')) };

      await expect(queue.send('x', aborted)).rejects.toThrow('over');
      await expect(queue.approximateLength(aborted)).rejects.toThrow('over');
      expect(await queue.approximateLength({ signal })).toBe(0);
    });

    it('gives messages out, each to one reader, until they are deleted', async () => {
      const { queue, texts } = open();
      for (const text of ['a', 'b', 'c']) await queue.send(text, { signal });

      const first = await queue.receive({ signal, count: 2, hideSeconds: 60 });
      const second = await queue.receive({ signal, count: 2, hideSeconds: 60 });
      const third = await queue.receive({ signal, count: 2, hideSeconds: 60 });
      const deleted = await Promise.all(
        [...first, ...second].map((message) => queue.delete(message, { signal })),
      );

      const received = [...first, ...second];
      expect(received.map(({ text }) => text)).toEqual(['a', 'b', 'c']);
      expect(new Set(received.map(({ id }) => id)).size).toBe(3);
      for (const { id } of received) expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      expect([third, deleted, await texts()]).toEqual([[], [true, true, true], []]);
      expect(await queue.approximateLength({ signal })).toBe(0);
    });

    it('gives a message out again when its time is over, and then takes it from nobody else', async () => {
      const { queue } = open();
      await queue.send('again', { signal });
      const [late] = await queue.receive({ signal, count: 1, hideSeconds: 1 });
      const again: QueueMessage[] = [];

      await expect
        .poll(async () => again.push(...(await queue.receive({ signal, count: 1, hideSeconds: 60 }))), {
          timeout: 10_000,
        })
        .toBe(1);
      const [message] = again;
      if (!late || !message) throw new Error('nothing was received');
      const outcomes = [
        await queue.delete(late, { signal }),
        await queue.delete(message, { signal }),
        await queue.delete(message, { signal }),
      ];

      expect([message.id, message.text]).toEqual([late.id, 'again']);
      expect(outcomes).toEqual([false, true, false]);
    });

    it('gives nothing out where nothing was sent', async () => {
      const { queue } = open();

      expect(await queue.receive({ signal, count: 32, hideSeconds: 1 })).toEqual([]);
    });

    it('gives nothing out under a signal that has aborted', async () => {
      const { queue } = open();
      const aborted = { signal: AbortSignal.abort(new Error('over')) };

      await expect(queue.receive({ ...aborted, count: 1, hideSeconds: 1 })).rejects.toThrow('over');
      await expect(queue.delete({ id: crypto.randomUUID(), receipt: 'r' }, aborted)).rejects.toThrow('over');
    });
  });
}
