import { describe, expect, it } from 'vitest';
import { faultsOfWorkflow, unevenPins } from './checks/workflows.ts';
import { readText } from './reading/project-files.ts';
import { parseWorkflow, readWorkflows } from './reading/workflows.ts';

const { scripts, devDependencies } = JSON.parse(readText('package.json'));
const commit = 'a'.repeat(40);

const good = `on:
  workflow_dispatch:
    inputs:
      name: { type: string }
permissions:
  contents: read
concurrency: { group: one, cancel-in-progress: false }
jobs:
  first:
    timeout-minutes: 5
    outputs:
      id: \${{ steps.make.outputs.id }}
    steps:
      - uses: actions/checkout@${commit} # v1.2.3
        with: { persist-credentials: false }
      - uses: actions/setup-node@${commit} # v1.2.3
        with: { node-version: 24 }
      - id: make
        run: echo "id=$NAME" >> "$GITHUB_OUTPUT"
        env: { NAME: "\${{ inputs.name }}" }
  called:
    uses: ./other.yml
  second:
    needs: [first, called]
    if: vars.KNOWN == 'true' && needs.first.result == 'success'
    timeout-minutes: 5
    environment: production
    permissions: { contents: read, id-token: write }
    steps:
      - uses: ./.github/actions/own
        with: { id: "\${{ needs.first.outputs.id }}", other: "\${{ needs.called.outputs.given }}", key: "\${{ secrets.KNOWN }}" }
      - run: npm run known
`;
const surroundings = {
  npmScripts: ['known'],
  nodeMajor: 24,
  documentation: 'Set `KNOWN`.',
  called: { './other.yml': ['given'] },
};
const faultsOf = (text: string, path = '.github/workflows/a.yml') =>
  faultsOfWorkflow(parseWorkflow(path, text), surroundings);

describe('a workflow', () => {
  it('is accepted in its usual form', () => {
    expect(faultsOf(good)).toEqual([]);
  });

  it.each([
    [
      'a stranger’s trigger',
      'workflow_dispatch:',
      'pull_request_target:',
      'is started by pull_request_target',
    ],
    ['no permissions', 'permissions:\n  contents: read\n', '', 'does not begin with the permission'],
    ['wide permissions', 'contents: read\n', 'contents: write\n', 'does not begin with the permission'],
    ['no word on concurrency', /concurrency.+\n/, '', 'says nothing of concurrency'],
    [
      'concurrency of one job, and none of the other that deploys',
      /concurrency.+\n(.+\n {2}first:)/,
      '$1\n    concurrency: { group: one }',
      'says nothing of concurrency',
    ],
    ['a job without timeout', 'timeout-minutes: 5\n    outputs', 'outputs', 'first: has no timeout'],
    ['a job that may write', 'contents: read, id', 'contents: write, id', 'second: may write contents'],
    ['a token for no environment', 'environment: production', 'x: y', 'takes a token without an environment'],
    ['a tag as pin', `checkout@${commit}`, 'checkout@v1', 'is not pinned'],
    ['half a commit as pin', `checkout@${commit}`, 'checkout@aaaaaaa', 'is not pinned'],
    ['a pin without version', `setup-node@${commit} # v1.2.3`, `setup-node@${commit}`, 'is not pinned'],
    ['an expression in a script', 'id=$NAME', `id=\${{ inputs.name }}`, 'an expression stands in the script'],
    ['an unknown npm script', 'npm run known', 'npm run unknown', 'there is no npm script unknown'],
    [
      'a token left behind',
      'persist-credentials: false',
      'fetch-depth: 1',
      'checkout leaves its token behind',
    ],
    ['another Node.js', 'node-version: 24', 'node-version: 22', 'Node.js is not 24'],
    ['an unknown need', '[first, called]', '[first, called, third]', 'needs third'],
    ['an unknown input', 'inputs.name', 'inputs.nobody', 'inputs.nobody leads nowhere'],
    ['an unexplained variable', 'vars.KNOWN', 'vars.SECRET_SAUCE', 'vars.SECRET_SAUCE leads nowhere'],
    ['an unexplained secret', 'secrets.KNOWN', 'secrets.OTHER', 'secrets.OTHER leads nowhere'],
    ['the result of a job it does not need', 'needs.first.result', 'needs.second.result', 'leads nowhere'],
    ['an output that no job has', 'needs.first.outputs.id', 'needs.first.outputs.no', 'leads nowhere'],
    ['an output that no called workflow gives', 'called.outputs.given', 'called.outputs.no', 'leads nowhere'],
    ['an output that no step writes', 'steps.make.outputs.id', 'steps.make.outputs.no', 'leads nowhere'],
    ['an output of no step', 'steps.make.outputs.id', 'steps.other.outputs.id', 'leads nowhere'],
  ])('is refused with %s', (_, from, to, reason) => {
    const text = good.replace(from, to);

    expect(text).not.toBe(good);
    expect(faultsOf(text)).toContainEqual(expect.stringContaining(reason));
  });

  it('is accepted when each of its jobs that deploys says what may not run beside it', () => {
    const text = good
      .replace(/concurrency.+\n/, '')
      .replace('environment: production', 'environment: production\n    concurrency: { group: one }');

    expect(faultsOf(text)).toEqual([]);
  });

  it('is one of those without fault in this repository', () => {
    const workflows = readWorkflows();
    const real = {
      npmScripts: Object.keys(scripts),
      nodeMajor: Number.parseInt(devDependencies.node, 10),
      documentation: readText('docs/deploy.md'),
      called: Object.fromEntries(workflows.map(({ path, outputs }) => [`./${path}`, Object.keys(outputs)])),
    };

    expect(workflows.flatMap((workflow) => faultsOfWorkflow(workflow, real))).toEqual([]);
    expect(workflows.map(({ path }) => path)).toEqual([
      '.github/actions/deploy/action.yml',
      '.github/workflows/ci.yml',
      '.github/workflows/deploy.yml',
      '.github/workflows/what-if.yml',
    ]);
  });

  it('pins an action to the same commit everywhere', () => {
    const other = good.replaceAll(commit, 'b'.repeat(40));
    const pair = [parseWorkflow('a.yml', good), parseWorkflow('b.yml', other)];

    expect(unevenPins(pair)).toEqual(['actions/checkout', 'actions/setup-node']);
    expect(unevenPins(readWorkflows())).toEqual([]);
  });
});
