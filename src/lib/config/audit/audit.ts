import { accessRules } from './access-rules.ts';
import { criticalRules } from './critical-rules.ts';
import { dataRules } from './data-rules.ts';
import { type Finding, findBy, type Posture, type Rule, worstFirst } from './finding.ts';
import { operationRules } from './operation-rules.ts';
import { secretRules } from './secret-rules.ts';

/** Everything that is looked for in the settings. */
export const auditRules: readonly Rule[] = [
  ...criticalRules,
  ...secretRules,
  ...accessRules,
  ...dataRules,
  ...operationRules,
];

/** What weakens the app, as far as its settings tell; worst first. Asks nobody. */
export function auditSettings(posture: Posture): Finding[] {
  return worstFirst(findBy(auditRules, posture));
}
