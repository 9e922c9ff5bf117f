import { ConfigError } from '../load.ts';
import { accessRules } from './access-rules.ts';
import { dataRules } from './data-rules.ts';
import { type Finding, findingLevels, type Posture, type Rule } from './finding.ts';
import { operationRules } from './operation-rules.ts';
import { secretRules } from './secret-rules.ts';

/** Everything that is looked for in the settings. */
export const auditRules: readonly Rule[] = [...secretRules, ...accessRules, ...dataRules, ...operationRules];

/** What weakens the app, as far as its settings tell; worst first. Asks nobody. */
export function auditSettings(posture: Posture): Finding[] {
  const findings = auditRules.flatMap(({ found, id, level, title, fix }) => {
    const where = found(posture);
    if (where === false) return [];
    return [{ id, level, title: typeof where === 'string' ? `${title}: ${where}` : title, fix }];
  });
  return worstFirst(findings);
}

export function worstFirst(findings: readonly Finding[]): Finding[] {
  return findingLevels.flatMap((level) => findings.filter((finding) => finding.level === level));
}

/**
 * Keeps the app from starting in production while anything is critical.
 *
 * @throws {@link ConfigError} that lists all critical findings at once, each with its fix
 */
export function refuseCritical(
  { isProduction }: { readonly isProduction: boolean },
  findings: readonly Finding[],
): void {
  const critical = findings.filter(({ level }) => level === 'critical');
  if (!isProduction || critical.length === 0) return;
  const lines = critical.map(({ id, title, fix }) => `  - ${id}: ${title}. ${fix}`);
  throw new ConfigError(`The settings are not safe in production:\n${lines.join('\n')}`);
}
