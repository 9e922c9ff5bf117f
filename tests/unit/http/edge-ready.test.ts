import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/lib/core/index.ts';
import { anybody, endpoint } from '../../../src/lib/http/index.ts';
import { serve } from './served.ts';

const notReady = () => Promise.reject(new AppError('unavailable', 'The secrets are not available'));

const declared = (answersWhileStopping: boolean, handled: string[] = []) =>
  endpoint({
    name: 'test',
    method: 'GET',
    route: 'test',
    summary: 'test',
    access: anybody,
    answersWhileStopping,
    responses: { 200: undefined },
    handle() {
      handled.push('handled');
      return {};
    },
  });

describe('an app that is not ready', () => {
  it('answers 503 before anything is looked at', async () => {
    const handled: string[] = [];
    await using server = await serve(declared(false, handled), { ready: notReady });

    const { status, headers, text } = await server.ask();

    expect([status, headers['retry-after'], JSON.parse(text).code]).toEqual([503, '5', 'unavailable']);
    expect(handled).toEqual([]);
  });

  it('answers all the same what needs nothing', async () => {
    await using server = await serve(declared(true), { ready: notReady });

    expect((await server.ask()).status).toBe(200);
  });
});
