import { describe, expect, it } from 'vitest';
import { deploy } from './reading/bicep/deployment.ts';
import { parseBicep } from './reading/bicep/file.ts';
import type { Value } from './reading/bicep/values.ts';

const deployed = (files: Readonly<Record<string, string>>, parameters = {}) =>
  deploy('main.bicep', parameters, (path) => files[path] ?? '');

/** What one expression comes to, in a file with some names. */
const resultOf = (expression: string) =>
  deployed({
    'main.bicep': `
      metadata name = 'not the parameter'
      param name string = 'cat'
      param flag bool = true
      var sizes = { small: 1, 'very big': [10, 20] }
      output result string = ${expression}
      output name string = 'not the parameter either'`,
  }).outputs['result'];

describe('an expression in Bicep', () => {
  it.each<[string, unknown]>([
    ["'a // b /* c */ ''".slice(0, -1), 'a // b /* c */ '],
    [`'a \${name} \${toLower('B')}'`, 'a cat b'],
    [`'it\\'s \\\${name} \\n'`, `it's \${name} \n`],
    ["flag /* or not */ ? 'yes' : 'no' // always", 'yes'],
    ["!flag\n  ? 'yes'\n  : name", 'cat'],
    ["flag && name != 'dog' || false", true],
    ["sizes.small == 1 ? sizes['very big'][1] : -1", 20],
    [`join(map(filter(['a', '', 'b'], x => !empty(x)), x => '<\${x}>'), '+')`, '<a>+<b>'],
    [`[for (item, index) in ['a', 'b']: '\${index}\${item}']`, ['0a', '1b']],
    ['union({ a: 1 }, { b: null })', { a: 1, b: null }],
    [
      "toObject(['a=b', 'c=d=e'], x => split(x, '=')[0], x => join(skip(split(x, '='), 1), '='))",
      { a: 'b', c: 'd=e' },
    ],
    ["take(concat(['a'], ['b', 'b']), 2)", ['a', 'b']],
    ["parseCidr('10.1.2.3/24')", { network: '10.1.2.0', broadcast: '10.1.2.255' }],
    ["parseCidr('203.0.113.7/32')", { network: '203.0.113.7', broadcast: '203.0.113.7' }],
  ])('%s comes to %o', (expression, value) => {
    expect(resultOf(expression)).toEqual(value);
  });

  it.each([
    ["'a", 'main.bicep:6 the text does not end'],
    ["'''\na\n'''", 'multi-line texts are not read'],
    ['nothing', 'nothing is not known'],
    ["newGuid('a')", 'the function newGuid is not known'],
    ['name ? 1 : 2', '"cat" is neither true nor false'],
    ["parseCidr('10.1.2.3')", '10.1.2.3 is no network'],
  ])('%s is refused', (expression, problem) => {
    expect(() => resultOf(expression)).toThrow(problem);
  });
});

describe('a parameter in Bicep', () => {
  const withValue = (decorator: string, type: string, value: Value) =>
    deployed({ 'main.bicep': `@${decorator}\nparam a ${type}\noutput result ${type} = a` }, { a: value });

  it.each<[decorator: string, type: string, kept: Value, broken: Value]>([
    ["allowed(['a', 'b'])", 'string', 'b', 'c'],
    ['minLength(2)', 'string', 'ab', 'a'],
    ['maxLength(1)', 'string[]', ['a'], ['a', 'b']],
    ['minValue(-1)', 'int', -1, -2],
    ['maxValue(35)', 'int', 35, 36],
  ])('keeps @%s', (decorator, type, kept, broken) => {
    expect(withValue(decorator, type, kept).outputs['result']).toEqual(kept);
    expect(() => withValue(decorator, type, broken).outputs).toThrow(`breaks @${decorator.split('(')[0]}`);
  });
});

describe('a file in Bicep', () => {
  it.each([
    ["type color = 'red'", 'a.bicep:1 the statement type is not read'],
    ["param color 'red' | 'blue'", 'a.bicep:1 expected a plain type'],
    [`\n\nresource a '\${b}' = {}`, 'a.bicep:3 expected a plain text'],
    ['param a string = }', 'a.bicep:1 expected a name'],
  ])('is refused with %s', (text, problem) => {
    expect(() => parseBicep('a.bicep', text)).toThrow(problem);
  });

  it('keeps decorators with the statement below them', () => {
    const [statement] = parseBicep(
      'a.bicep',
      "@minLength(1)\n@description('Name.')\nparam a string",
    ).statements;

    expect(statement).toMatchObject({
      kind: 'param',
      name: 'a',
      decorators: [
        { name: 'minLength' },
        { name: 'description', args: [{ kind: 'text', parts: ['Name.'] }] },
      ],
    });
  });
});

describe('a template', () => {
  const files = {
    'main.bicep': `
      param closed bool
      module data 'modules/data.bicep' = { params: { name: 'store', names: ['a', 'b'] } }
      module net 'modules/net.bicep' = if (closed) { params: { id: data.outputs.id } }
      output id string = data.outputs.id
      output subnet string = closed ? net!.outputs.subnet : ''`,
    'modules/data.bicep': `
      param name string
      param names string[]
      resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
        name: name
        properties: { kind: loadJsonContent('kind.json').kind }

        resource blobs 'blobServices' = {
          name: 'default'
        }
      }
      resource boxes 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = [for n in names: {
        parent: account::blobs
        name: n
      }]
      resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (name == 'other') {
        scope: account
        name: 'lock'
        dependsOn: [nothing]
      }
      resource role 'Microsoft.Authorization/locks@2020-05-01' = {
        scope: boxes[1]
        name: account.properties.primaryEndpoints.blob
      }
      output id string = account.id`,
    'modules/kind.json': '{ "kind": "V2" }',
    'modules/net.bicep': `
      param id string
      resource known 'Microsoft.Network/virtualNetworks@2025-05-01' existing = { name: 'net' }
      output subnet string = '\${known.id} for \${id}'`,
  };

  it('deploys what its modules, loops and conditions come to, and nothing that exists already', () => {
    const { resources, outputs } = deployed(files, { closed: true });

    expect(resources.map(({ id }) => id)).toEqual([
      'Microsoft.Storage/storageAccounts/store',
      'Microsoft.Storage/storageAccounts/store/blobServices/default',
      'Microsoft.Storage/storageAccounts/store/blobServices/default/containers/a',
      'Microsoft.Storage/storageAccounts/store/blobServices/default/containers/b',
      'Microsoft.Authorization/locks/https://store.blob.core.windows.net/',
    ]);
    expect(resources[0]).toMatchObject({ file: 'modules/data.bicep', body: { properties: { kind: 'V2' } } });
    expect(resources[4]?.scope).toBe(
      'Microsoft.Storage/storageAccounts/store/blobServices/default/containers/b',
    );
    expect(outputs).toEqual({
      id: 'Microsoft.Storage/storageAccounts/store',
      subnet: 'Microsoft.Network/virtualNetworks/net for Microsoft.Storage/storageAccounts/store',
    });
  });

  it('does not look at what a condition leaves out', () => {
    expect(deployed(files, { closed: false }).outputs['subnet']).toBe('');
  });

  it('is refused without a parameter that has no default, and when it asks Azure what is not known here', () => {
    const asking = files['modules/data.bicep'].replace('primaryEndpoints', 'creationTime');

    expect(() => deployed(files)).toThrow('main.bicep needs the parameter closed');
    expect(() => deployed({ ...files, 'modules/data.bicep': asking }, { closed: true })).toThrow(
      'what Azure says of creationTime of Microsoft.Storage/storageAccounts is not known here',
    );
  });
});
