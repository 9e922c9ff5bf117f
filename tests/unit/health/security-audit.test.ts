import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../src/lib/config/index.ts';
import { type AuditQuestion, reviewStorage, securityAuditShape } from '../../../src/lib/health/index.ts';
import { createSecurityAudit } from '../../../src/lib/health/security-audit.ts';
import { createLogger, createTelemetry } from '../../../src/lib/observability/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';

const { signal } = new AbortController();
const finding = (id: string, level: Finding['level']): Finding => ({
  id,
  level,
  title: `Title of ${id}`,
  fix: `Fix of ${id}`,
});

function setUp(settings: readonly Finding[], ...questions: AuditQuestion[]) {
  const clock = fakeClock();
  const lines: { [name: string]: unknown }[] = [];
  const logger = createLogger({ clock, level: 'debug', write: (line) => lines.push(JSON.parse(line)) });
  const { metrics } = createTelemetry({
    clock,
    logger,
    instance: 'test',
    service: { name: 'test', version: '1', environment: 'test' },
    sampleRatio: 1,
    destinations: [],
  });
  const audit = createSecurityAudit({
    clock,
    logger,
    metrics,
    readSettings: async () => settings,
    questions,
  });
  const counted = async () =>
    Object.fromEntries(
      [
        ...(await metrics.render()).matchAll(/security_audit_failures_total\{.*?level="(\w+)".*?\} (\d+)/g),
      ].map(([, level, count]) => [level, Number(count)]),
    );
  return { audit, clock, lines, counted };
}

describe('the security audit', () => {
  it('tells settings and answers together, the worst first', async () => {
    const { audit } = setUp(
      [finding('a', 'critical'), finding('b', 'low')],
      { of: 'database', ask: async () => [finding('c', 'high')] },
      { of: 'storage', ask: async () => [] },
    );

    const report = await audit.run(signal);

    expect(securityAuditShape.parse(report)).toEqual({
      checked_at: '2026-01-01T00:00:00.000Z',
      counts: { critical: 1, high: 1, medium: 0, low: 1, unknown: 0 },
      findings: [finding('a', 'critical'), finding('c', 'high'), finding('b', 'low')],
    });
  });

  it('takes the word of who knows more about the same', async () => {
    const more = { ...finding('a', 'high'), title: 'Title of a: here and there' };
    const { audit } = setUp([finding('a', 'high'), finding('b', 'low')], {
      of: 'vault',
      ask: async () => [more],
    });

    const { findings, counts } = await audit.run(signal);

    expect(findings).toEqual([more, finding('b', 'low')]);
    expect(counts).toMatchObject({ high: 1, low: 1 });
  });

  it('calls unknown what fails or stays silent, within five seconds, and shows nothing of why', async () => {
    const { audit, clock, lines } = setUp(
      [],
      { of: 'database', ask: () => new Promise(() => {}) },
      { of: 'storage', ask: () => Promise.reject(new Error('host db.internal')) },
    );

    const running = audit.run(signal);
    await clock.advance(5_000);
    const report = await running;

    expect(report.counts).toEqual({ critical: 0, high: 0, medium: 0, low: 0, unknown: 2 });
    expect(report.findings.map(({ id, level }) => [id, level])).toEqual([
      ['database_unknown', 'unknown'],
      ['storage_unknown', 'unknown'],
    ]);
    expect(JSON.stringify(report)).not.toContain('db.internal');
    expect(lines.map(({ message, of }) => [message, of])).toEqual([
      ['a question of the security audit was not answered', 'storage'],
      ['a question of the security audit was not answered', 'database'],
    ]);
    expect(clock.timers).toBe(0);
  });

  it('ends with whoever asked, and leaves no timer', async () => {
    const { audit, clock } = setUp([], { of: 'database', ask: () => new Promise(() => {}) });
    const client = new AbortController();

    const running = audit.run(client.signal);
    client.abort(new Error('gone'));

    await expect(running).rejects.toThrow('gone');
    expect(clock.timers).toBe(0);
  });

  it('writes each finding of the settings into the log, by how bad it is', async () => {
    const { audit, lines } = setUp([
      finding('a', 'critical'),
      finding('b', 'high'),
      finding('c', 'medium'),
      finding('d', 'low'),
    ]);

    await audit.logSettings();

    expect(lines).toMatchObject([
      { level: 'error', finding: 'a', severity: 'critical', fix: 'Fix of a' },
      { level: 'warning', finding: 'b', severity: 'high', title: 'Title of b' },
      { level: 'info', finding: 'c' },
      { level: 'info', finding: 'd' },
    ]);
  });

  it('counts a finding once in a process, however often it is asked', async () => {
    const { audit, counted } = setUp([finding('a', 'critical'), finding('b', 'high')], {
      of: 'database',
      ask: async () => [finding('c', 'high')],
    });

    await audit.logSettings();
    const atStart = await counted();
    await audit.run(signal);
    await audit.run(signal);

    expect(atStart).toEqual({ critical: 1, high: 1 });
    expect(await counted()).toEqual({ critical: 1, high: 2 });
  });
});

describe('the review of storage', () => {
  const container = (isPublic: boolean, serverTime?: number) => ({
    name: 'crownsafe-images',
    inspect: async () => ({ isPublic, ...(serverTime !== undefined && { serverTime }) }),
  });

  it('finds a container that anybody may read', async () => {
    const found = await reviewStorage(fakeClock(), [container(false), container(true)], signal);

    expect(found.map(({ id, level }) => [id, level])).toEqual([
      ['public_container_crownsafe_images', 'critical'],
    ]);
  });

  it.each([
    [59_000, 0],
    [-59_000, 0],
    [61_000, 1],
    [-61_000, 1],
  ])('finds a clock that is %i ms off: %i', async (offMs, count) => {
    const clock = fakeClock();

    const found = await reviewStorage(
      clock,
      [container(false, clock.now() + offMs), container(false)],
      signal,
    );

    expect(found.filter(({ id }) => id === 'clock_skew')).toHaveLength(count);
  });
});
