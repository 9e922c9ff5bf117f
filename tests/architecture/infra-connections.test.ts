import { describe, expect, it } from 'vitest';
import { queues, timers } from '../../src/functions/index.ts';
import { connectionBudget } from './checks/infra-connections.ts';
import { deployInfra, edited } from './reading/infra.ts';
import { readText } from './reading/project-files.ts';

/** https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan, regional subscription memory quotas. */
const regionalMemoryMb = 512_000;

const budgetOf = (profile: 'dev' | 'prod', readFile = readText) =>
  connectionBudget(deployInfra({ profile, networkClosed: false }, readFile), {
    queues: queues.length,
    timers: timers.length,
  });

describe('connections to the database', () => {
  it.each(['dev', 'prod'] as const)('are within what the server and its pooler allow: %s', (profile) => {
    const { server, serverMemoryMb, pooler } = budgetOf(profile);

    expect(server.used).toBeLessThanOrEqual(server.allowed);
    expect(pooler?.used ?? 0).toBeLessThanOrEqual(pooler?.allowed ?? 0);
    expect(serverMemoryMb.used).toBeLessThanOrEqual(serverMemoryMb.allowed);
  });

  it('leave room for staging and production in one region of one subscription', () => {
    expect(budgetOf('dev').memoryMb + budgetOf('prod').memoryMb).toBeLessThanOrEqual(regionalMemoryMb);
  });

  it('are added up as docs/decisions/infrastructure.md says', () => {
    expect(budgetOf('dev')).toEqual({
      instances: 84,
      server: { used: 259, allowed: 414 },
      serverMemoryMb: { used: 3_614, allowed: 4_096 },
      memoryMb: 172_032,
    });
    expect(budgetOf('prod')).toEqual({
      instances: 124,
      server: { used: 305, allowed: 844 },
      serverMemoryMb: { used: 5_098, allowed: 8_192 },
      pooler: { used: 1_240, allowed: 5_000 },
      memoryMb: 253_952,
    });
    const document = readText('docs/decisions/infrastructure.md');
    const numbers =
      '84,259,414,3 614,4 096,172 032,124,305,844,5 098,8 192,253 952,1 240,5 000,425 984,512 000';
    for (const number of numbers.split(',')) expect(document).toContain(` ${number} `);
  });

  it.each<['dev' | 'prod', string, string]>([
    ['dev', 'databaseDirectPoolSize: 1', 'databaseDirectPoolSize: 3'],
    ['dev', 'databasePoolSize: 2', 'databasePoolSize: 10'],
    ['dev', 'maximumInstanceCount: 40', 'maximumInstanceCount: 100'],
    ['prod', 'maximumInstanceCount: 60', 'maximumInstanceCount: 200'],
    ['prod', 'databaseDirectPoolSize: 2', 'databaseDirectPoolSize: 7'],
  ])('are too many in %s with %s changed to %s', (profile, from, to) => {
    const { server } = budgetOf(profile, edited('infra/main.bicep', from, to));

    expect(server.used).toBeGreaterThan(server.allowed);
  });

  it('are too many for the pooler, or for the server, with other numbers in postgres.bicep', () => {
    const clients = edited('infra/modules/postgres.bicep', "value: '5000'", "value: '1000'");
    const pool = edited('infra/modules/postgres.bicep', "value: '50'", "value: '800'");

    expect(budgetOf('prod', clients).pooler).toEqual({ used: 1_240, allowed: 1_000 });
    expect(budgetOf('prod', pool).server).toEqual({ used: 1_055, allowed: 844 });
  });

  it('grow with every function that scales on its own', () => {
    const deployment = deployInfra({ profile: 'dev', networkClosed: false });

    const { server } = connectionBudget(deployment, { queues: queues.length + 2, timers: timers.length });

    expect(server.used).toBeGreaterThan(server.allowed);
  });

  it('cannot be added up for a server of unknown size, or a pooler that is used where there is none', () => {
    const size = edited('infra/main.bicep', 'Standard_B2s', 'Standard_B1ms');
    const port = edited('infra/modules/postgres.bicep', 'isPooled ? 6432 : 5432', '6432');

    expect(() => budgetOf('dev', size)).toThrow('is not listed');
    expect(() => budgetOf('dev', port)).toThrow('PgBouncer is off and used');
  });
});
