import { describe, expect, it } from 'vitest';
import { chaos, chaosTargets } from '../../../src/lib/config/chaos.ts';
import { loadConfig } from '../../../src/lib/config/index.ts';
import { hasBreaker, kindOf, knownDependencies } from '../../../src/lib/resilience/dependencies.ts';

const usable = {
  ENVIRONMENT: 'test',
  SECRET_KEY: 'a'.repeat(32),
  DATABASE_URL: 'postgresql://app:secret@127.0.0.1:5432/crownsafe',
  AzureWebJobsStorage: 'UseDevelopmentStorage=true',
};

describe('the setting CHAOS', () => {
  it.each([
    ['blob:fault=0.3,latency=200ms', { blob: { faultRate: 0.3, latencyMs: 200 } }],
    ['blob:fault=1', { blob: { faultRate: 1, latencyMs: 0 } }],
    [' webhook:fault=.05 ', { webhook: { faultRate: 0.05, latencyMs: 0 } }],
    [
      'queue:latency=1500ms  postgres-direct:fault=0',
      { queue: { faultRate: 0, latencyMs: 1500 }, 'postgres-direct': { faultRate: 0, latencyMs: 0 } },
    ],
  ])('reads %s', (text, expected) => {
    expect(loadConfig({ ...usable, CHAOS: text }).CHAOS).toEqual(expected);
  });

  it.each([
    ['blob', 'must read as'],
    ['blob:', 'must read as'],
    ['blob:fault=1.5', 'must read as'],
    ['blob:fault=-1', 'must read as'],
    ['blob:fault=0.5,fault=0.5', 'must read as'],
    ['blob:latency=200', 'must read as'],
    ['blob:latency=100000ms', 'must read as'],
    ['blob:fault=1;queue:fault=1', 'must read as'],
    ['blob:fault=1 blob:fault=0', 'names blob twice'],
    ['disk:fault=1', 'knows blob, backup-blob'],
    ['table-control:fault=1', 'knows blob, backup-blob'],
  ])('refuses %s', (text, reason) => {
    const { error } = chaos.safeParse(text);

    expect(error?.issues[0]?.message).toContain(reason);
  });

  it.each(['production', undefined])('is refused where ENVIRONMENT is %s', (environment) => {
    expect(() => loadConfig({ ...usable, ENVIRONMENT: environment, CHAOS: 'blob:fault=1' })).toThrow(
      'CHAOS: is refused in production',
    );
  });

  it('knows every dependency that has a breaker', () => {
    const kinds = knownDependencies.filter(hasBreaker).map(kindOf);

    expect([...chaosTargets]).toEqual([...kinds, kindOf('webhook:a.example')]);
  });
});
