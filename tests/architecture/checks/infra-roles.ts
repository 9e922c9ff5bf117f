import type { DeployedResource } from '../reading/bicep/declaration.ts';
import type { Deployment } from '../reading/bicep/deployment.ts';
import { evaluate } from '../reading/bicep/evaluate.ts';
import type { BicepFile } from '../reading/bicep/syntax.ts';
import { at, isValues } from '../reading/bicep/values.ts';

const shortestReason = 30;

/** The map of named roles of a template, from name to id. */
export function namedRoles({ path, statements }: BicepFile): ReadonlyMap<string, string> {
  const declared = statements.find(({ kind, name }) => kind === 'var' && name === 'roles');
  if (declared?.kind !== 'var') throw new Error(`${path} has no map of roles`);
  const roles = evaluate(declared.value, { find: () => undefined, readJson: () => null });
  return new Map(isValues(roles) ? Object.entries(roles).map(([name, id]) => [name, String(id)]) : []);
}

/** Assignments without a reason or of a role without a name, names without an assignment, and rights for too much. */
export function roleFaults({ resources }: Deployment, roles: ReadonlyMap<string, string>): string[] {
  const assignments = resources.filter(({ type }) => type === 'Microsoft.Authorization/roleAssignments');
  const used = assignments.map(roleIdOf);
  const unused = [...roles].filter(([, id]) => !used.includes(id));
  return [
    ...assignments.flatMap((assignment) => assignmentFaults(assignment, [...roles.values()])),
    ...unused.map(([name]) => `the role ${name} is given to nobody`),
  ];
}

function assignmentFaults(assignment: DeployedResource, known: readonly string[]): string[] {
  const { file, name, scope, body } = assignment;
  const reason = at(body, 'properties.description');
  const checks: readonly (readonly [fulfilled: boolean, otherwise: string])[] = [
    [known.includes(roleIdOf(assignment)), 'is of a role that has no name'],
    [typeof reason === 'string' && reason.length >= shortestReason, 'has no reason'],
    [scope !== undefined, 'is for a whole group of resources'],
  ];
  return checks.flatMap(([fulfilled, otherwise]) => (fulfilled ? [] : [`${file} ${name} ${otherwise}`]));
}

function roleIdOf({ body }: DeployedResource): string {
  return String(at(body, 'properties.roleDefinitionId')).split('/').at(-1) ?? '';
}
