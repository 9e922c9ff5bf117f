import { type Deployment, deploy } from './bicep/deployment.ts';
import { listFiles, readText } from './project-files.ts';

/** One way in which the templates are used. */
export interface Variant {
  readonly profile: 'dev' | 'prod';
  readonly networkClosed: boolean;
}

/** All ways that make a difference. */
export const variants: readonly Variant[] = (['dev', 'prod'] as const).flatMap((profile) =>
  [false, true].map((networkClosed) => ({ profile, networkClosed })),
);

/** What the templates deploy. `readFile` stands for the files of the repository, for trying what a change would do. */
export function deployInfra(variant: Variant, readFile = readText): Deployment {
  const parameters = {
    environmentName: 'shop',
    location: 'westeurope',
    databaseAdminObjectId: '33333333-3333-4333-8333-333333333333',
    databaseAdminName: 'database administrators',
    databaseAdminType: 'Group',
    corsOrigins: 'https://app.example, https://admin.example',
    ...variant,
  };
  return deploy('infra/main.bicep', parameters, readFile);
}

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
