import { type Deployment, deploy } from './bicep/deployment.ts';
import type { Values } from './bicep/values.ts';
import { listFiles, readText } from './project-files.ts';

/** One way in which the templates are used. */
export interface Variant {
  readonly profile: 'dev' | 'prod';
  readonly networkClosed: boolean;
  /** Where deployers come from; nowhere, when left out. */
  readonly allowedIpRanges?: string;
}

/** Two networks, one of them a single address. */
export const someRanges = '203.0.113.7/32, 198.51.100.0/24';

/** All ways that make a difference to what is allowed. */
export const variants: readonly Variant[] = (['dev', 'prod'] as const).flatMap((profile) =>
  [false, true].flatMap((networkClosed) =>
    ['', someRanges].map((allowedIpRanges) => ({ profile, networkClosed, allowedIpRanges })),
  ),
);

/** What the templates deploy. `readFile` stands for the files of the repository, for trying what a change would do; `others` are further parameters. */
export function deployInfra(variant: Variant, readFile = readText, others: Values = {}): Deployment {
  const parameters = {
    environmentName: 'shop',
    location: 'westeurope',
    databaseAdminObjectId: '33333333-3333-4333-8333-333333333333',
    databaseAdminName: 'database administrators',
    databaseAdminType: 'Group',
    deployerPrincipalId: '44444444-4444-4444-8444-444444444444',
    corsOrigins: 'https://app.example, https://admin.example',
    ...variant,
    ...others,
  };
  return deploy('infra/main.bicep', parameters, readFile);
}

/** Paths of all templates, from the root of the repository. */
export function infraTemplates(): string[] {
  return listFiles('infra').filter((path) => path.endsWith('.bicep'));
}

/**
 * Reads files as they would be after a change.
 *
 * @throws Error when the text to be changed does not stand there exactly once
 */
export function edited(path: string, from: string, to: string): (path: string) => string {
  const text = readText(path);
  if (text.split(from).length !== 2) throw new Error(`${path} does not hold ${from} exactly once`);
  const after = text.replace(from, () => to);
  return (asked) => (asked === path ? after : readText(asked));
}
