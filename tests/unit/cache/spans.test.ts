import { describe, expect, it } from 'vitest';
import { cacheKey } from '../../../src/lib/cache/index.ts';
import { withSpan } from '../../../src/lib/observability/index.ts';
import { recordTelemetry } from '../../support/recording-destination.ts';
import { hourMs, passing, signal, slowSource, startProcess } from './set-up.ts';

const key = cacheKey('user', 'secret-name');
const exact = { exact: true };

/** The spans of what a region is asked inside of a trace, and of nothing before. */
async function spansOf(work: () => Promise<unknown>) {
  await using recorded = await recordTelemetry();
  await withSpan('root', {}, () => work().catch(() => {}));
  await recorded.telemetry.flush();
  const root = recorded.spans.find(({ name }) => name === 'root');
  expect(JSON.stringify(recorded.spans.map(({ name, attributes }) => [name, attributes]))).not.toMatch(
    /secret/,
  );
  return recorded.spans
    .filter((span) => span !== root && span.parentSpanContext?.spanId === root?.spanContext().spanId)
    .map(({ name, attributes }) => ({ name, ...attributes }));
}

const span = (more: object) => ({
  name: 'cache texts',
  'crownsafe.cache.region': 'texts',
  'crownsafe.cache.renewal': false,
  ...more,
});

describe('the span of a cache', () => {
  it('says that the source was asked, once for all who asked then', async () => {
    const { region, clock } = startProcess();
    const source = slowSource(clock);
    const get = () => region.get(key, source.load, signal);

    const spans = await spansOf(() => passing(clock, 100, Promise.all([get(), get()])));

    expect(spans).toEqual([span({ 'crownsafe.cache.outcome': 'miss' })]);
  });

  it('is none where memory has the answer', async () => {
    const { region, clock } = startProcess();
    const source = slowSource(clock);
    await passing(clock, 100, region.get(key, source.load, signal));

    expect(await spansOf(() => region.get(key, source.load, signal))).toEqual([]);
  });

  it('says that the table had the answer', async () => {
    const first = startProcess();
    const source = slowSource(first.clock);
    await passing(first.clock, 100, first.region.get(key, source.load, signal));
    const second = startProcess({ clock: first.clock, table: first.table });

    const spans = await spansOf(() => second.region.get(key, source.load, signal));

    expect(spans).toEqual([span({ 'crownsafe.cache.outcome': 'table_hit' })]);
  });

  it('says that an old value was given out, and what kind of error there was without one', async () => {
    const declaration = { ...exact, shared: false, staleMs: hourMs } as const;
    const { region, clock } = startProcess({ declaration });
    const source = slowSource(clock);
    await passing(clock, 100, region.get(key, source.load, signal));
    source.fails = true;
    await clock.advance(hourMs);
    const get = (which = key) => passing(clock, 100, region.get(which, source.load, signal));

    const spans = await spansOf(async () => {
      await get();
      await get(cacheKey('user', 'another secret'));
    });

    expect(spans).toEqual([span({ 'crownsafe.cache.outcome': 'stale' }), span({ 'error.type': 'Error' })]);
  });

  it('of a value that is renewed ahead says so, and is a trace of its own: nobody waits for it', async () => {
    await using recorded = await recordTelemetry();
    const { region, clock } = startProcess({ declaration: { shared: false } });
    const source = slowSource(clock);
    await passing(clock, 100, region.get(key, source.load, signal));
    await clock.advance(0.85 * hourMs);
    const named = () => recorded.spans.filter(({ name }) => name === 'cache texts');

    await withSpan('root', {}, () => region.get(key, source.load, signal));
    await clock.advance(100);

    await expect
      .poll(async () => {
        await recorded.telemetry.flush();
        return named().map(({ attributes }) => attributes);
      })
      .toContainEqual(
        expect.objectContaining({ 'crownsafe.cache.renewal': true, 'crownsafe.cache.outcome': 'miss' }),
      );
    expect(named().every((span) => span.parentSpanContext === undefined)).toBe(true);
  });
});
