import { existsSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { importsOf, targetOf } from './reading/imports.ts';
import { listFiles, readText, root } from './reading/project-files.ts';
import { parseSource } from './reading/source-file.ts';
import { type Job, readWorkflows, type Workflow } from './reading/workflows.ts';

const azd = parse(readText('azure.yaml'));
const { scripts } = JSON.parse(readText('package.json'));
const workflows = readWorkflows();

function find(name: string): Workflow {
  const found = workflows.find(({ path }) => path.endsWith(name));
  if (!found) throw new Error(`there is no ${name}`);
  return found;
}
const job = (workflow: Workflow, name: string): Job => workflow.jobs[name] ?? {};

/** The names azd fills into the parameters of the infrastructure, but for the one it finds out by itself. */
const parameterNames = [...readText('infra/main.parameters.json').matchAll(/\$\{(\w+)/g)]
  .map(([, name]) => name)
  .filter((name) => name !== 'AZURE_PRINCIPAL_ID');
/** The names the infrastructure gives back. */
const outputNames = [...readText('infra/main.bicep').matchAll(/^output (\w+)/gm)].map(([, name]) => name);

describe('azure.yaml', () => {
  it('names the service like the tag of the function app', () => {
    const tag = /'azd-service-name': '(\w+)'/.exec(readText('infra/modules/functionapp.bicep'))?.[1];

    expect(Object.keys(azd.services)).toEqual([tag]);
  });

  it('deploys the folder that npm run package makes, as it is', () => {
    const { project, dist, remoteBuild, host } = azd.services.api;

    expect({ project, dist, remoteBuild, host }).toEqual({
      project: '.',
      dist: 'package',
      remoteBuild: false,
      host: 'function',
    });
    expect(readText('.gitignore').split('\n')).toContain('package/');
    expect(readText('scripts/package.ts')).toContain("'package'");
  });

  it('has hooks for both kinds of shell, which run scripts that exist', () => {
    const hooks = { ...azd.hooks, ...azd.services.api.hooks };
    const commands = Object.values(hooks) as Record<'posix' | 'windows', { shell: string; run: string }>[];
    const called = commands.flatMap(({ posix, windows }) => [posix, windows]).map(({ run }) => run);

    expect(Object.keys(hooks).sort()).toEqual(['postdeploy', 'postprovision', 'prepackage', 'preprovision']);
    expect(commands.map(({ posix, windows }) => [posix.shell, windows.shell])).toEqual(
      commands.map(() => ['sh', 'pwsh']),
    );
    for (const [, script = ''] of called.join('\n').matchAll(/npm run (\S+)/g))
      expect(scripts).toHaveProperty([script]);
  });

  it.each([
    // What azd shows and asks of a hook that is interactive, it does not hide behind a spinner.
    ['postprovision', { run: 'npm run deploy:prepare', interactive: true }],
    ['postdeploy', { run: 'npm run deploy:smoke', interactive: true }],
  ])('fails when its hook %s does', (name, expected) => {
    const { posix, windows } = azd.hooks[name];

    expect(posix).toEqual({ shell: 'sh', ...expected });
    expect(windows).toEqual({ shell: 'pwsh', ...expected });
  });

  it('builds, then provisions with the database, then deploys', () => {
    const steps: { azd: string }[] = azd.workflows.up.steps;

    expect(steps.map((step) => step.azd.split(' ')[0])).toEqual(['package', 'provision', 'deploy']);
  });

  it('is read by an azd that the workflows have', () => {
    const least = /^>= (\d+)\.(\d+)\.(\d+)$/.exec(azd.requiredVersions.azd)?.slice(1).map(Number) ?? [];
    const setups = workflows.flatMap(({ jobs }) => Object.values(jobs).flatMap(({ steps = [] }) => steps));
    const versions = setups
      .filter(({ uses }) => uses?.startsWith('Azure/setup-azd@'))
      .map((step) => step.with?.['version']);

    // Older ones build in Azure, whatever azure.yaml says.
    expect(least.join('.')).toBe('1.23.13');
    expect(new Set(versions).size).toBe(1);
    const used = String(versions[0]).split('.').map(Number);
    expect(used.reduce((sum, part) => sum * 1000 + part, 0)).toBeGreaterThanOrEqual(
      least.reduce((sum, part) => sum * 1000 + part, 0),
    );
  });
});

describe('the deployment scripts', () => {
  it('ask azd for nothing but outputs of the infrastructure', () => {
    const texts = listFiles('scripts/deploy').map(readText);
    const calls = texts.flatMap((text) =>
      [...text.matchAll(/readAzdEnvironment\(([^)]*)\)/g)].map(([, names]) => names),
    );
    const asked = new Set(
      calls.flatMap((names = '') => [...names.matchAll(/'(\w+)'/g)].map(([, name]) => name)),
    );

    // This one azd knows without the infrastructure.
    asked.delete('AZURE_SUBSCRIPTION_ID');
    expect(asked.size).toBeGreaterThan(8);
    expect([...asked].filter((name) => !outputNames.includes(name))).toEqual([]);
  });
});

describe('the deployment scripts and the command they run', () => {
  it('need no package for development, which the workflow does not install', () => {
    const { dependencies } = JSON.parse(readText('package.json'));
    const files = new Set([...listFiles('scripts/deploy'), 'src/cli/crownsafe.ts']);
    const packages = new Set<string>();
    // Grows while it is walked.
    for (const path of files) {
      if (!path.endsWith('.ts')) continue;
      const file = parseSource(path, readText(path));
      for (const { specifier = '', typeOnly } of importsOf(file)) {
        if (typeOnly || isBuiltin(specifier)) continue;
        const target = targetOf(file, specifier);
        if (target) files.add(target);
        else packages.add(/^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier);
      }
    }

    expect([...packages].filter((name) => !(name in dependencies))).toEqual([]);
    expect([...packages]).toEqual(expect.arrayContaining(['@azure/identity', 'commander', 'pg']));
  });
});

describe('the way to production', () => {
  const deploy = find('workflows/deploy.yml');
  const [staging, production] = [job(deploy, 'staging'), job(deploy, 'production')];
  const action = job(find('actions/deploy/action.yml'), 'action');
  const withOf = ({ steps = [] }: Job) =>
    steps.find(({ uses }) => uses === './.github/actions/deploy')?.with ?? {};
  const position = (words: string) =>
    (action.steps ?? []).findIndex(({ uses = '', run = '' }) => `${uses}\n${run}`.includes(words));

  it('leads through checks and staging', () => {
    expect(job(deploy, 'checks').uses).toBe('./.github/workflows/ci.yml');
    expect([job(deploy, 'package').needs].flat()).toContain('checks');
    expect([staging.needs].flat()).toContain('package');
    expect([production.needs].flat()).toEqual(expect.arrayContaining(['package', 'staging']));
    expect([staging.environment, production.environment]).toEqual(['staging', 'production']);
  });

  it('is the same way for both, with the same package', () => {
    const differing = ['DEPLOY_PROFILE', 'ENVIRONMENT_KIND'];
    const common = ({ env = {} }: Job) => Object.entries(env).filter(([name]) => !differing.includes(name));

    expect(common(production)).toEqual(common(staging));
    expect(withOf(production)['run-id']).toBe(withOf(staging)['run-id']);
    expect(withOf(production)['sha256']).toBe(withOf(staging)['sha256']);
    expect(production.permissions).toEqual(staging.permissions);
  });

  it('checks the package, backs up, provisions and deploys, in this order', () => {
    const order = [
      'npm ci --omit=dev --omit=optional --ignore-scripts',
      'sha256sum --check',
      'azd auth login',
      'deploy:backup',
      'azd provision',
      'azd deploy',
    ].map(position);

    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(order[0]).toBeGreaterThanOrEqual(0);
    expect(action.steps?.[position('azd deploy')]?.run).toContain('--from-package artifact/package.zip');
  });

  it.each([['staging', staging] as const, ['production', production] as const])(
    'gives %s every parameter',
    (_, { env = {} }) => {
      expect(parameterNames.length).toBeGreaterThan(8);
      expect(parameterNames.filter((name = '') => !(name in env))).toEqual([]);
    },
  );

  it('hands over what the action takes, and all that it must have', () => {
    const { inputs } = parse(readText('.github/actions/deploy/action.yml'));
    const required = Object.keys(inputs).filter((name) => inputs[name].required);

    for (const given of [withOf(staging), withOf(production)].map(Object.keys)) {
      expect(given.filter((name) => !(name in inputs))).toEqual([]);
      expect(required.filter((name) => !given.includes(name))).toEqual([]);
    }
  });
});

describe('the look ahead of a pull request', () => {
  it('gives the infrastructure every parameter, and takes an identity that cannot write', () => {
    const { steps = [], env = {} } = job(find('workflows/what-if.yml'), 'staging');
    const { run = '' } = steps.at(-1) ?? {};
    const parameters = [...readText('infra/main.bicep').matchAll(/^param (\w+)/gm)].map(([, name]) => name);

    expect(parameters.length).toBeGreaterThan(8);
    const given = [...run.matchAll(/ (\w+)=/g)].map(([, name]) => name);
    expect(given.toSorted()).toEqual(parameters.toSorted());
    expect([...run.matchAll(/\$(\w+)/g)].filter(([, name = '']) => !(name in env))).toEqual([]);
  });
});

describe('what the checks run', () => {
  it('is there', () => {
    const runs = Object.values(find('workflows/ci.yml').jobs).flatMap(({ steps = [] }) =>
      steps.map(({ run = '' }) => run),
    );
    const files = runs.join('\n').match(/(?:\.ci\/run|infra\/\S+\.bicep)/g) ?? [];

    expect(new Set(files)).toEqual(new Set(['.ci/run', 'infra/main.bicep']));
    for (const file of files) expect(existsSync(join(root, file)), file).toBe(true);
  });
});
