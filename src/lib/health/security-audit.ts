import { type Finding, worstFirst } from '../config/index.ts';
import { type Clock, rejectOnAbort, startDeadline, toTimestamp } from '../core/index.ts';
import type { Logger, Metrics } from '../observability/index.ts';
import type { SecurityAuditReport } from './security-audit-shape.ts';

/** Somebody who knows more than the settings tell. */
export interface AuditQuestion {
  /** What is asked, as a word of an id: `database`. */
  readonly of: string;
  ask(signal: AbortSignal): Promise<readonly Finding[]>;
}

interface SecurityAuditPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** What the settings tell. */
  readonly readSettings: () => Promise<readonly Finding[]>;
  readonly questions: readonly AuditQuestion[];
}

/** Looks for what weakens the app where it runs. */
export interface SecurityAudit {
  /** What the settings tell, once for each finding into the log. Asks nobody. */
  logSettings(): Promise<void>;
  /** Settings, and what the dependencies tell: takes 5 s at most. What cannot be asked is a finding `unknown`. */
  run(signal: AbortSignal): Promise<SecurityAuditReport>;
}

/** Longer than any answer of a dependency that is well. */
const askTimeoutMs = 5_000;

/** Makes the audit. */
export function createSecurityAudit(ports: SecurityAuditPorts): SecurityAudit {
  const { clock, logger, readSettings, questions } = ports;
  const count = countOnce(ports.metrics);

  const ask = async ({ of, ask: question }: AuditQuestion, signal: AbortSignal) => {
    using deadline = startDeadline(clock, askTimeoutMs, signal);
    try {
      return await rejectOnAbort(question(deadline.signal), deadline.signal);
    } catch (error) {
      signal.throwIfAborted();
      logger.warning('a question of the security audit was not answered', { of, error });
      return undefined;
    }
  };

  return {
    async logSettings() {
      for (const finding of await readSettings()) {
        count(finding);
        logger[logLevels[finding.level]]('the security audit has a finding', {
          finding: finding.id,
          severity: finding.level,
          title: finding.title,
          fix: finding.fix,
        });
      }
    },
    async run(signal) {
      const answers = await Promise.all(
        questions.map(async (question) => ({ of: question.of, found: await ask(question, signal) })),
      );
      const told = [...(await readSettings()), ...answers.flatMap(({ found }) => found ?? [])];
      // Whoever knows more than the settings may say the same, and more of it.
      const findings = worstFirst([...new Map(told.map((finding) => [finding.id, finding])).values()]);
      for (const finding of findings) count(finding);
      const unanswered = answers.filter(({ found }) => found === undefined).map(({ of }) => unanswerable(of));
      const countOf = (level: Finding['level']) =>
        findings.filter((finding) => finding.level === level).length;
      return {
        checked_at: toTimestamp(clock.now()),
        counts: {
          critical: countOf('critical'),
          high: countOf('high'),
          medium: countOf('medium'),
          low: countOf('low'),
          unknown: unanswered.length,
        },
        findings: [...findings, ...unanswered],
      };
    },
  };
}

/** What cannot be mended at the moment is told at each start all the same, but not so that it hides what can. */
const logLevels = { critical: 'error', high: 'warning', medium: 'info', low: 'info' } as const;

function unanswerable(of: string) {
  return {
    id: `${of}_unknown`,
    level: 'unknown' as const,
    title: `Nothing is known of the ${of}: it did not answer, or not the app`,
    fix: 'Look at GET /api/healthz and at the log, then ask again',
  };
}

/** However often it is asked, a finding counts once in a process. */
function countOnce(metrics: Metrics): (finding: Finding) => void {
  const failures = metrics.counter(
    'security_audit_failures_total',
    'Findings of the security audit, each once for a process',
  );
  const counted = new Set<string>();
  return ({ id, level }) => {
    if (!counted.has(id)) failures.add({ level });
    counted.add(id);
  };
}
