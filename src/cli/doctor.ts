import type { Command } from 'commander';
import { startDeadline } from '../lib/core/index.ts';
import { listMigrations } from '../lib/database/index.ts';
import type { CriticalCheck } from '../lib/health/index.ts';
import { deployerAddress } from './deployer.ts';
import { describeFailure } from './describe-failure.ts';
import { withRuntime } from './with-runtime.ts';

type Services = Parameters<Parameters<typeof withRuntime>[0]>[0];

/** `crownsafe doctor`: whether the app could work with these settings, and how safely. */
export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description(
      'try every dependency and audit the security; ends with 1 when one fails or a finding is critical or high',
    )
    .action(() => withRuntime(examine, { waitsForSecrets: false }));
}

const checkTimeoutMs = 10_000;

async function examine(services: Services, signal: AbortSignal): Promise<void> {
  const checks = [...services.dependencies, { name: 'migrations', ping: () => expectMigrations(services) }];
  const results: boolean[] = [];
  // One after the other: a line for each as soon as it is known.
  for (const check of checks) results.push(await tryOut(services, check, signal));
  const { findings, counts } = await (await services.securityAudit()).run(signal);
  for (const { level, id, title, fix } of findings) {
    console.log(`${level.padEnd(9)} ${id}: ${title}\n          ${fix}`);
  }
  const failed = results.filter((isWell) => !isWell).length;
  const found = Object.entries(counts).filter(([, count]) => count > 0);
  console.log(
    `${failed} of ${results.length} checks failed; findings: ${found.map(([level, count]) => `${count} ${level}`).join(', ') || 'none'}`,
  );
  if (failed + counts.critical + counts.high > 0) process.exitCode = 1;
}

async function tryOut(
  { clock }: Services,
  { name, ping }: CriticalCheck,
  signal: AbortSignal,
): Promise<boolean> {
  using deadline = startDeadline(clock, checkTimeoutMs, signal);
  const startedMs = clock.monotonicMs();
  try {
    await ping(deadline.signal);
    console.log(`ok        ${name}, ${Math.round(clock.monotonicMs() - startedMs)} ms`);
    return true;
  } catch (error) {
    console.log(`failed    ${name}: ${describeFailure(error)}`);
    return false;
  }
}

async function expectMigrations({ config, secrets }: Services): Promise<void> {
  const DATABASE_DIRECT_URL = config.DATABASE_DIRECT_URL ?? secrets.databaseUrl();
  const migrations = await listMigrations(deployerAddress({ ...config, DATABASE_DIRECT_URL }));
  const waiting = migrations.filter(
    ({ executedAt, waitsForOperator }) => executedAt === undefined && !waitsForOperator,
  );
  if (waiting.length > 0) {
    throw new Error(`${waiting.map(({ name }) => name).join(', ')} not run: crownsafe migrate up`);
  }
}
