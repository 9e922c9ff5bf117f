import { describe, expect, it } from 'vitest';
import { readWorkflows } from './reading/workflows.ts';

/* What the workflows promise in docs/deploy.md, line by line: weakening a line without raising a fault elsewhere is easy. */

const workflows = readWorkflows();

/** A job of a workflow or the composite action, by the end of its path. */
function job(file: string, name: string) {
  const found = workflows.find(({ path }) => path.endsWith(file))?.jobs[name];
  if (!found) throw new Error(`there is no job ${name} in ${file}`);
  return found;
}

/** The condition of a job on one line, as GitHub reads it. */
const condition = (file: string, name: string) => job(file, name).if;

/** The step of a job whose name, script or action has these words. */
function step(file: string, name: string, words: string) {
  const { steps = [] } = job(file, name);
  const found = steps.filter((one) => `${one.name}\n${one.run}\n${one.uses}`.includes(words));
  if (found.length !== 1) throw new Error(`${found.length} steps of ${name} in ${file} have ${words}`);
  return found[0] ?? {};
}
const script = (file: string, name: string, words: string) => step(file, name, words).run;
const [ci, deploy, action, whatIf] = ['ci.yml', 'deploy.yml', 'action.yml', 'what-if.yml'] as const;
const expression = (inner: string) => `\${{ ${inner} }}`;

describe('who may start what', () => {
  it.each([
    [
      'a push deploys only where that is switched on, and only main',
      condition(deploy, 'checks'),
      "github.ref == 'refs/heads/main' && ((github.event_name == 'workflow_dispatch' && inputs.rollback_run_id == '') || (github.event_name == 'push' && vars.DEPLOY_ON_PUSH == 'true'))",
    ],
    [
      'a package has passed the checks, or is rolled back to',
      condition(deploy, 'package'),
      expression(
        "!cancelled() && github.ref == 'refs/heads/main' && (needs.checks.result == 'success' || inputs.rollback_run_id != '')",
      ),
    ],
    [
      'staging is passed by',
      condition(deploy, 'staging'),
      expression("!cancelled() && needs.package.result == 'success' && inputs.rollback_run_id == ''"),
    ],
    [
      'production comes after staging, unless it is rolled back',
      condition(deploy, 'production'),
      expression(
        "!cancelled() && needs.package.result == 'success' && (needs.staging.result == 'success' || inputs.rollback_run_id != '')",
      ),
    ],
    [
      'a fork gets no token, and nobody unless it is switched on',
      condition(whatIf, 'staging'),
      "vars.WHAT_IF == 'true' && github.event.pull_request.head.repo.full_name == github.repository",
    ],
    [
      'new dependencies are looked at in each pull request',
      condition(ci, 'dependencies'),
      "github.event_name == 'pull_request'",
    ],
  ])('%s', (_, found, expected) => {
    expect(found).toBe(expected);
  });
});

describe('as whom, where and beside what', () => {
  it.each([
    [
      'looking ahead has an identity of its own, which cannot write',
      job(whatIf, 'staging').environment,
      'what-if',
    ],
    [
      'deploying can be done from within the network',
      job(deploy, 'staging')['runs-on'],
      "vars.RUNNER || 'ubuntu-24.04'",
    ],
    ['and production from there, too', job(deploy, 'production')['runs-on'], "vars.RUNNER || 'ubuntu-24.04'"],
  ])('%s', (_, found, expected) => {
    expect([expected, expression(expected)]).toContain(found);
  });

  it.each([
    ['staging', 'staging'],
    ['production', expression("inputs.rollback_run_id == '' && 'production' || 'production-rollback'")],
  ])('%s takes one deployment at a time, and drops none', (name, group) => {
    expect(job(deploy, name).concurrency).toEqual({ group, 'cancel-in-progress': false, queue: 'max' });
  });
});

describe('what a step runs', () => {
  it.each([
    ['all checks', script(ci, 'test', '.ci/run'), /^\.ci\/run$/],
    [
      'the compiler of templates',
      script(ci, 'infrastructure', 'bicep build'),
      /^az bicep build --file infra\/main\.bicep --stdout > main\.json$/,
    ],
    [
      'a compiler of one version',
      script(ci, 'infrastructure', 'Install Bicep'),
      /use_binary_from_path=false\naz bicep install --version v\d+\.\d+\.\d+\n$/,
    ],
    [
      'the linter',
      script(ci, 'infrastructure', 'Lint'),
      /^az bicep lint --file infra\/main\.bicep --diagnostics-format sarif > lint\.sarif$/m,
    ],
    [
      'the linter’s warnings, as errors',
      script(ci, 'infrastructure', 'Lint'),
      /^jq --exit-status '\[\.runs\[\]\.results\[\] \| select\(\.level != "note" and \.ruleId != "use-recent-api-versions"\)\] == \[\]' lint\.sarif\n$/m,
    ],
    [
      'the advisories against what is deployed',
      script(ci, 'package', 'npm audit'),
      /^\(npm audit --omit=dev --json \|\| true\) \| node scripts\/advisories\.ts$/,
    ],
    ['the licences', script(ci, 'package', 'npm run licenses'), /^npm run licenses$/],
    ['the packager', script(ci, 'package', 'npm run package'), /^npm run package$/],
    [
      'a zip with one time',
      script(ci, 'package', 'Zip it'),
      /find \. -exec touch --date=1980-01-01T00:00:00Z \{\} \+/,
    ],
    [
      'a zip in one order',
      script(ci, 'package', 'Zip it'),
      /find \. -type f \| LC_ALL=C sort \| TZ=UTC zip -qX -@ \.\.\/artifact\/package\.zip/,
    ],
    [
      'the bill of materials',
      script(ci, 'package', 'Zip it'),
      /^npm sbom --omit=dev --sbom-format=cyclonedx > artifact\/sbom\.cdx\.json$/m,
    ],
    [
      'the hash of the package',
      script(ci, 'package', 'Zip it'),
      /^echo "sha256=\$\(sha256sum artifact\/package\.zip \| cut -d ' ' -f 1\)" >> "\$GITHUB_OUTPUT"$/m,
    ],
    [
      'a look ahead that changes nothing',
      script(whatIf, 'staging', 'az deployment'),
      /^az deployment sub what-if --location "\$AZURE_LOCATION" --template-file infra\/main\.bicep --validation-level ProviderNoRbac --parameters /,
    ],
    [
      'no script of a package',
      script(action, 'action', 'npm ci'),
      /^npm ci --omit=dev --omit=optional --ignore-scripts$/,
    ],
    [
      'the hash that came with the package',
      script(action, 'action', 'Check the package'),
      /^\(cd artifact && sha256sum --check SHA256SUMS\)$/m,
    ],
    [
      'the hash that came by another way',
      script(action, 'action', 'Check the package'),
      /^\[ -z "\$SHA256" \] \|\| echo "\$SHA256 {2}artifact\/package\.zip" \| sha256sum --check$/m,
    ],
    [
      'a backup of the app that is there',
      script(action, 'action', 'Back up'),
      /^azd env refresh --no-prompt\nnpm run deploy:backup\n$/,
    ],
    [
      'the reason for none, into the summary',
      script(action, 'action', 'Say why'),
      /\$WITHOUT_BACKUP" >> "\$GITHUB_STEP_SUMMARY"$/,
    ],
    ['the templates', script(action, 'action', 'Provision'), /^azd provision --no-prompt$/],
    ['a look at what is there', script(action, 'action', 'Look up'), /^azd env refresh --no-prompt$/],
    [
      'the package that was checked',
      script(action, 'action', 'Deploy and try it'),
      /^azd deploy api --from-package artifact\/package\.zip --no-prompt$/,
    ],
  ])('%s', (_, found, expected) => {
    expect(found).toMatch(expected);
  });

  it.each([
    ['Back up', "inputs.without-backup == ''"],
    ['Say why', "inputs.without-backup != ''"],
    ['Provision', "inputs.rollback != 'true'"],
    ['Look up', "inputs.rollback == 'true'"],
    ['Check the package', undefined],
    ['Deploy and try it', undefined],
  ])('%s: if %s', (words, expected) => {
    expect(step(action, 'action', words).if).toBe(expected);
  });

  it('as bash that fails in the middle of a pipe', () => {
    const { steps = [] } = job(action, 'action');
    const texts = workflows.filter(({ path }) => /(?:ci|deploy)\.yml$/.test(path)).map(({ text }) => text);

    expect(texts.filter((text) => text.includes('\ndefaults:\n  run:\n'))).toHaveLength(2);
    expect(steps.filter(({ run }) => run).map((one) => one.shell)).toEqual(
      steps.filter(({ run }) => run).map(() => 'bash'),
    );
  });
});

describe('what is handed over', () => {
  const given = (name: string) => step(deploy, name, './.github/actions/deploy').with ?? {};

  it.each([
    ['to staging', 'staging', 'rollback', false],
    ['to production', 'production', 'rollback', expression("inputs.rollback_run_id != ''")],
    ['to staging', 'staging', 'run-id', expression('needs.package.outputs.run-id')],
    ['to staging', 'staging', 'sha256', expression('needs.checks.outputs.package-sha256')],
    [
      'to production',
      'production',
      'without-backup',
      expression(
        "inputs.rollback_run_id != '' && 'a rollback leaves the schema as it is' || inputs.without_backup",
      ),
    ],
  ])('%s (%s): %s', (_, name, input, expected) => {
    expect(given(name)[input]).toBe(expected);
  });

  it('the hash of the package, from the job that made it', () => {
    const { outputs } = workflows.find(({ path }) => path.endsWith(ci)) ?? {};

    expect(outputs?.['package-sha256']).toBe(expression('jobs.package.outputs.sha256'));
    expect(job(ci, 'package').outputs?.['sha256']).toBe(expression('steps.zip.outputs.sha256'));
    expect(step(action, 'action', 'Check the package').env).toEqual({ SHA256: expression('inputs.sha256') });
  });
});
