import type { Job, Step, Workflow } from '../reading/workflows.ts';

/** What the workflows are held against. */
interface Surroundings {
  readonly npmScripts: readonly string[];
  /** The Node.js of the project; in workflows it only starts npm, which brings the exact one. */
  readonly nodeMajor: number;
  /** The text in which every variable and secret is explained. */
  readonly documentation: string;
  /** The outputs of each workflow that can be called, by its path. */
  readonly called: Readonly<Record<string, readonly string[]>>;
}

/** Everything that is wrong with a workflow, as `path job: fault`. */
export function faultsOfWorkflow(workflow: Workflow, surroundings: Surroundings): string[] {
  const jobs = Object.entries(workflow.jobs).flatMap(([name, job]) =>
    [...faultsOfJob(job), ...faultsOfReferences(workflow, job, surroundings)]
      .concat((job.steps ?? []).flatMap((step) => faultsOfStep(step, workflow, surroundings)))
      .map((fault) => `${name}: ${fault}`),
  );
  return [...faultsOfWhole(workflow), ...jobs].map((fault) => `${workflow.path} ${fault}`);
}

const isAction = ({ path }: Workflow) => path.endsWith('/action.yml');

function faultsOfWhole(workflow: Workflow): string[] {
  const faults = workflow.triggers
    // Both run with the rights of this repository on what a stranger brings.
    .filter((trigger) => ['pull_request_target', 'workflow_run'].includes(trigger))
    .map((trigger) => `is started by ${trigger}`);
  if (isAction(workflow)) return faults;
  if (JSON.stringify(workflow.permissions) !== '{"contents":"read"}')
    faults.push('does not begin with the permission to read contents and no other');
  const unordered = Object.values(workflow.jobs).filter((job) => job.environment && !job.concurrency);
  const isOrdered = unordered.length === 0 && Object.values(workflow.jobs).some((job) => job.concurrency);
  if (!workflow.concurrency && !isOrdered) faults.push('says nothing of concurrency');
  return faults;
}

function faultsOfJob(job: Job): string[] {
  const faults: string[] = [];
  const isCall = job.uses !== undefined || job.steps === undefined;
  if (!isCall && !('using' in job) && !job['timeout-minutes']) faults.push('has no timeout');
  for (const [name, level] of Object.entries(job.permissions ?? {})) {
    if (level === 'read' || level === 'none') continue;
    if (name !== 'id-token') faults.push(`may write ${name}`);
    // The subject of the token names the environment, and by that Azure knows what it is for.
    else if (!job.environment) faults.push('takes a token without an environment');
  }
  return faults;
}

function faultsOfStep(step: Step, workflow: Workflow, { npmScripts, nodeMajor }: Surroundings): string[] {
  const faults: string[] = [];
  const { uses = '', run = '' } = step;
  if (uses && !uses.startsWith('./') && !isPinned(uses, workflow.text))
    faults.push(`${uses} is not pinned by commit, with its version as comment`);
  if (/\$\{\{/.test(run))
    faults.push(`an expression stands in the script "${run.split('\n')[0]}"; pass it by env`);
  for (const [, script = ''] of run.matchAll(/\bnpm run ([\w:-]+)/g))
    if (!npmScripts.includes(script)) faults.push(`there is no npm script ${script}`);
  if (uses.startsWith('actions/checkout@') && step.with?.['persist-credentials'] !== false)
    faults.push('checkout leaves its token behind');
  if (uses.startsWith('actions/setup-node@') && step.with?.['node-version'] !== nodeMajor)
    faults.push(`Node.js is not ${nodeMajor}`);
  return faults;
}

function isPinned(uses: string, text: string): boolean {
  if (!/^[\w.-]+\/[\w./-]+@[0-9a-f]{40}$/.test(uses)) return false;
  const lines = text.split('\n').filter((line) => line.includes(uses));
  return lines.every((line) => /@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line));
}

/** References in expressions that lead nowhere, or to something nobody has explained. */
function faultsOfReferences(workflow: Workflow, job: Job, surroundings: Surroundings): string[] {
  const faults = [job.needs ?? []]
    .flat()
    .filter((need) => !(need in workflow.jobs))
    .map((need) => `needs ${need}`);
  for (const [reference, context, key, output] of referencesIn(job)) {
    if (isKnown({ workflow, job, context, key, output, surroundings })) continue;
    faults.push(`${reference} leads nowhere`);
  }
  return faults;
}

interface Reference {
  readonly workflow: Workflow;
  readonly job: Job;
  readonly context: string;
  readonly key: string;
  readonly output: string | undefined;
  readonly surroundings: Surroundings;
}

function isKnown({ workflow, job, context, key, output, surroundings }: Reference): boolean {
  switch (context) {
    case 'inputs':
      return workflow.inputs.includes(key);
    case 'vars':
    case 'secrets':
      return surroundings.documentation.includes(`\`${key}\``);
    case 'needs':
      return [job.needs ?? []].flat().includes(key) && hasOutput(workflow.jobs[key], output, surroundings);
    case 'steps': {
      const step = job.steps?.find(({ id }) => id === key);
      return step?.run?.includes(`${output}=`) ?? false;
    }
    default:
      return true;
  }
}

function hasOutput(job: Job | undefined, output: string | undefined, { called }: Surroundings): boolean {
  if (output === undefined) return true;
  return [...Object.keys(job?.outputs ?? {}), ...(called[job?.uses ?? ''] ?? [])].includes(output);
}

/** References in all expressions of a job: the whole, its context, its key and the output behind `.outputs.`. */
function referencesIn(job: Job): [string, string, string, string | undefined][] {
  const conditions = [job.if, ...(job.steps ?? []).map((step) => step.if)].filter(
    (text) => text !== undefined,
  );
  const expressions = [...JSON.stringify(job).matchAll(/\$\{\{(.*?)\}\}/g)].map(([, inner = '']) => inner);
  return [...conditions, ...expressions].flatMap((text) =>
    [...text.matchAll(/\b(inputs|vars|secrets|needs|steps)\.([\w-]+)(?:\.outputs\.([\w-]+))?/g)].map(
      ([whole, context = '', key = '', output]): [string, string, string, string | undefined] => [
        whole,
        context,
        key,
        output,
      ],
    ),
  );
}

/** Actions that are pinned to more than one commit in a repository. */
export function unevenPins(workflows: readonly Workflow[]): string[] {
  const commits = new Map<string, Set<string>>();
  for (const { text } of workflows)
    for (const [, action = '', commit = ''] of text.matchAll(/uses: ([\w./-]+)@(\S+)/g))
      commits.set(action, (commits.get(action) ?? new Set()).add(commit));
  return [...commits].filter(([, pins]) => pins.size > 1).map(([action]) => action);
}
