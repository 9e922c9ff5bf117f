import { execFile } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { readWorkflows } from '../../architecture/reading/workflows.ts';
import { makeTemporaryFolder } from '../../support/temporary-folder.ts';

/* The script in deploy.yml that decides which package is deployed, run by bash as GitHub does; only `gh` is not the real one. */

const folder = makeTemporaryFolder();
afterAll(() => rm(folder, { recursive: true }));

const workflow = readWorkflows().find(({ path }) => path.endsWith('/deploy.yml'));
const script = workflow?.jobs['package']?.steps?.find(({ id }) => id === 'choose')?.run ?? '';

/** What GitHub knows of the run; `gh` answers with it, and writes down what it was asked. */
interface Run {
  readonly came?: string;
  readonly packages?: number;
}

async function choose(rollbackRunId: string, { came = '', packages = 1 }: Run = {}) {
  const [output, asked, gh] = ['output', 'asked', 'gh'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(output, '');
  writeFileSync(asked, '');
  writeFileSync(
    gh,
    `#!/bin/sh\necho "$@" >> "${asked}"\ncase "$2" in *artifacts*) echo ${packages};; *) echo '${came}';; esac\n`,
  );
  chmodSync(gh, 0o755);
  const env = {
    PATH: [folder, process.env['PATH']].join(delimiter),
    GITHUB_OUTPUT: output,
    GITHUB_REPOSITORY: 'owner/name',
    GITHUB_RUN_ID: '99',
    ROLLBACK_RUN_ID: rollbackRunId,
  };
  const ended = await promisify(execFile)(
    'bash',
    ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script],
    { env },
  ).then(
    ({ stdout }) => ({ code: 0, said: stdout }),
    ({ code, stdout }) => ({ code, said: stdout }),
  );
  return { ...ended, chosen: readFileSync(output, 'utf8'), asked: readFileSync(asked, 'utf8') };
}

const path = '.github/workflows/deploy.yml';

describe('the package to deploy', () => {
  it('is the one that this run has made', async () => {
    expect(await choose('')).toEqual({ code: 0, said: '', chosen: 'run-id=99\n', asked: '' });
  });

  it.each(['push', 'workflow_dispatch'])('is that of an earlier run, started by %s', async (event) => {
    const { code, chosen, asked } = await choose('42', { came: `${path} main ${event} success` });

    expect([code, chosen]).toEqual([0, 'run-id=42\n']);
    expect(asked).toBe(
      [
        String.raw`api repos/owner/name/actions/runs/42 --jq "\(.path | split("@")[0]) \(.head_branch) \(.event) \(.conclusion)"`,
        'api repos/owner/name/actions/runs/42/artifacts?name=package --jq [.artifacts[] | select(.expired | not)] | length',
        '',
      ].join('\n'),
    );
  });

  it.each([
    ['of another workflow', '.github/workflows/ci.yml main push success'],
    ['of a workflow with a similar name', '.github/workflows/deploy-yml main push success'],
    ['of another branch', `${path} feature push success`],
    ['of a branch with a similar name', `${path} main-2 push success`],
    ['of a pull request', `${path} main pull_request success`],
    ['that failed', `${path} main push failure`],
    ['that was cancelled', `${path} main push cancelled`],
    ['that has not ended', `${path} main push null`],
    ['of which more is told than was asked', `x ${path} main push success`],
  ])('is never that of a run %s', async (_, came) => {
    const { code, said, chosen } = await choose('42', { came });

    expect([code, chosen]).toEqual([1, '']);
    expect(said).toBe(`::error::that run did not deploy to production from main: ${came}\n`);
  });

  it.each(['42; true', '42/../43', 'main', '-1', ' 42'])(
    'is refused by a number like "%s"',
    async (number) => {
      expect(await choose(number, { came: `${path} main push success` })).toEqual({
        code: 1,
        said: '::error::rollback_run_id is not a number\n',
        chosen: '',
        asked: '',
      });
    },
  );

  it('is refused when it is kept no longer', async () => {
    const { code, said, chosen } = await choose('42', { came: `${path} main push success`, packages: 0 });

    expect([code, chosen]).toEqual([1, '']);
    expect(said).toContain('that run has no package');
  });
});
