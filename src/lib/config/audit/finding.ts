import type { Config } from '../load.ts';

/** How bad a finding is, worst first. In production a critical one keeps the app from starting. */
export const findingLevels = ['critical', 'high', 'medium', 'low'] as const;

export type FindingLevel = (typeof findingLevels)[number];

/** Something that weakens the app where it runs. Names settings, and never shows a value. */
export interface Finding {
  /** Stable, for programs. */
  readonly id: string;
  readonly level: FindingLevel;
  readonly title: string;
  /** What to do, with the setting or command. */
  readonly fix: string;
}

/** What rules look at that have to do with settings only. */
interface SettingsPosture {
  readonly config: Config;
}

/** What the rules look at. */
export interface Posture extends SettingsPosture {
  /** As `process.versions.node` has it: `24.21.0`. */
  readonly nodeVersion: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** A finding, and when it is one. */
export interface Rule<P extends SettingsPosture = Posture> extends Finding {
  /** Whether it is so; a text says where. */
  found(posture: P): boolean | string;
}

/** A rule that has to do with settings only. */
export type SettingsRule = Rule<SettingsPosture>;

/** What the rules find, in their order. */
export function findBy<P extends SettingsPosture>(rules: readonly Rule<P>[], posture: P): Finding[] {
  return rules.flatMap(({ found, id, level, title, fix }) => {
    const where = found(posture);
    if (where === false) return [];
    return [{ id, level, title: typeof where === 'string' ? `${title}: ${where}` : title, fix }];
  });
}

/** Whether the app serves others than whoever develops it. */
export function isDeployed(config: Pick<Config, 'ENVIRONMENT' | 'isInAzure' | 'isProduction'>): boolean {
  return config.isInAzure || config.isProduction || config.ENVIRONMENT === 'staging';
}

export function worstFirst(findings: readonly Finding[]): Finding[] {
  return findingLevels.flatMap((level) => findings.filter((finding) => finding.level === level));
}
