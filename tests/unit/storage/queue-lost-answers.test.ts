import { describe, expect, it } from 'vitest';
import { openBadService, refuse } from './bad-service.ts';

const { signal } = new AbortController();
const message = { id: '00000000-0000-4000-8000-000000000001', receipt: 'r' };

describe('a message that is removed', () => {
  it.each([
    ['finds nothing', 404, 'MessageNotFound', true],
    ['finds it in other hands', 400, 'PopReceiptMismatch', false],
  ])('and the answer lost: a repetition that %s says %j', async (_, status, code, removed) => {
    let seen = 0;
    await using service = await openBadService((request, response, number) => {
      if (++seen === 1) request.resume().on('end', () => request.socket.destroy());
      else refuse(status, code)(request, response, number);
    });

    expect(await service.queue.delete(message, { signal })).toBe(removed);
    expect(seen).toBe(2);
  });

  it('is somebody else’s doing when the first try finds nothing', async () => {
    await using service = await openBadService(refuse(404, 'MessageNotFound'));

    expect(await service.queue.delete(message, { signal })).toBe(false);
  });

  it('says so when the service refuses for another reason', async () => {
    await using service = await openBadService(refuse(403, 'AuthorizationFailure'));

    await expect(service.queue.delete(message, { signal })).rejects.toMatchObject({ code: 'upstream' });
  });
});
