import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isId } from '../../../src/lib/core/index.ts';
import {
  chooseCorrelationId,
  currentContext,
  outsideOfInvocations,
  runInContext,
} from '../../../src/lib/observability/index.ts';

const choose = (headers: Record<string, string>) => chooseCorrelationId((name) => headers[name]);
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;

describe('chooseCorrelationId', () => {
  it.each<[string, Record<string, string>, string]>([
    [
      'x-correlation-id first',
      { 'x-correlation-id': 'correlation-1', 'x-request-id': 'request-1', traceparent },
      'correlation-1',
    ],
    ['then x-request-id', { 'x-request-id': 'request-1', traceparent }, 'request-1'],
    ['then the trace id of traceparent', { traceparent }, traceId],
    [
      'x-request-id where the other is malformed',
      { 'x-correlation-id': 'a b', 'x-request-id': 'request-1' },
      'request-1',
    ],
    ['128 characters at most', { 'x-correlation-id': 'a'.repeat(128) }, 'a'.repeat(128)],
  ])('takes %s', (_, headers, expected) => {
    expect(choose(headers)).toBe(expected);
  });

  it.each<[string, Record<string, string>]>([
    ['no header', {}],
    ['an id that is too short', { 'x-correlation-id': 'short' }],
    ['an id that is too long', { 'x-correlation-id': 'a'.repeat(129) }],
    ['an id with a line of its own', { 'x-correlation-id': 'correlation\ninjected' }],
    ['an id with markup', { 'x-correlation-id': '<script>alert(1)' }],
    ['an id that is an API key', { 'x-correlation-id': `csk_0123456789abcdef_${'s'.repeat(43)}` }],
    ['a malformed traceparent', { traceparent: `00-${traceId}` }],
    ['a traceparent in capitals', { traceparent: traceparent.toUpperCase() }],
  ])('makes a new one for %s', (_, headers) => {
    expect(choose(headers)).toSatisfy(isId);
  });

  it('never echoes what is not well formed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const chosen = choose({ 'x-correlation-id': text, 'x-request-id': text, traceparent: text });

        expect(chosen).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]{7,127}$/);
      }),
    );
  });
});

describe('currentContext', () => {
  it('is nothing outside of an invocation', () => {
    expect(currentContext()).toBeUndefined();
  });

  it('is nothing in what an invocation brings about besides, and itself again after', async () => {
    const context = { correlationId: 'c', functionName: 'f', requestId: 'r', write: undefined };

    const seen = await runInContext(context, async () => {
      const beside = outsideOfInvocations(async () => {
        await Promise.resolve();
        return currentContext();
      });
      return [await beside, currentContext()];
    });

    expect(seen).toEqual([undefined, context]);
  });
});
