import { posix } from 'node:path';
import { bodyOf, Declaration, type DeployedResource, propertyOf } from './declaration.ts';
import { evaluate, isTrue, type Scope } from './evaluate.ts';
import { parseBicep } from './file.ts';
import { brokenRestriction } from './restriction.ts';
import type { BicepFile, ParameterStatement, Statement } from './syntax.ts';
import { describe, isValues, Reference, type Value, type Values } from './values.ts';

/** What a set of parameters comes to. */
export interface Deployment {
  readonly resources: readonly DeployedResource[];
  readonly outputs: Values;
}

type ReadFile = (path: string) => string;
type ModuleStatement = Extract<Statement, { kind: 'module' }>;

/**
 * Works out what a template deploys: modules, conditions and loops resolved, parameters and defaults filled in. What
 * only Azure knows is filled in from `azureFact`.
 *
 * Of decorators only those that restrict the value of a parameter are minded. Not worked out: in which order Azure
 * makes things (`dependsOn`, `@batchSize`), what types and API versions allow, and what an earlier deployment left
 * behind, which Azure does not take away.
 *
 * @param readFile - gives the text of a file by its path from the root of the repository
 * @throws Error for what cannot be read, or is not known
 */
export function deploy(path: string, parameters: Values, readFile: ReadFile): Deployment {
  const template = new Template(parseBicep(path, readFile(path)), parameters, readFile);
  return { resources: template.resources(), outputs: template.outputs() };
}

/** One use of one file. Names are resolved when asked for, in whatever order they stand. */
class Template implements Scope {
  readonly #file: BicepFile;
  readonly #parameters: Values;
  readonly #readFile: ReadFile;
  readonly #known = new Map<string, Value>();
  readonly #modules = new Map<string, Template>();

  constructor(file: BicepFile, parameters: Values, readFile: ReadFile) {
    this.#file = file;
    this.#parameters = parameters;
    this.#readFile = readFile;
  }

  resources(): DeployedResource[] {
    return this.#file.statements.flatMap((statement) => {
      if (statement.kind === 'resource') return new Declaration(statement, this).deployed(this.#file.path);
      return statement.kind === 'module' && this.#isDeployed(statement)
        ? this.#module(statement).resources()
        : [];
    });
  }

  outputs(): Values {
    const names = this.#file.statements.flatMap(({ kind, name }) => (kind === 'output' ? [name] : []));
    return Object.fromEntries(names.map((name) => [name, this.#output(name)]));
  }

  /** Outputs and metadata have names of their own. */
  find(name: string): Value | undefined {
    if (!this.#known.has(name)) {
      const declared = ['param', 'var', 'resource', 'module'];
      const statement = this.#file.statements.find(
        (candidate) => declared.includes(candidate.kind) && candidate.name === name,
      );
      if (!statement) return undefined;
      this.#known.set(name, this.#valueOf(statement));
    }
    return this.#known.get(name);
  }

  readJson(path: string): Value {
    return JSON.parse(this.#readFile(this.#beside(path)));
  }

  #valueOf(statement: Statement): Value {
    switch (statement.kind) {
      case 'param':
        return this.#parameter(statement);
      case 'resource':
        return new Declaration(statement, this).reference();
      case 'module':
        return this.#moduleReference(statement);
      default:
        return evaluate(statement.value, this);
    }
  }

  #parameter(statement: ParameterStatement): Value {
    const { name, defaultValue } = statement;
    const given = this.#parameters[name];
    if (given === undefined && !defaultValue)
      throw new Error(`${this.#file.path} needs the parameter ${name}`);
    const value = given ?? (defaultValue ? evaluate(defaultValue, this) : null);
    const broken = brokenRestriction(statement, value);
    if (broken) throw new Error(`${this.#file.path} ${name}: ${describe(value)} breaks ${broken}`);
    return value;
  }

  #moduleReference(statement: ModuleStatement): Reference {
    const outputs = () => new Reference((name) => this.#module(statement).#output(name), unknown);
    return new Reference((member) => (member === 'outputs' ? outputs() : unknown(member)), unknown);
  }

  #output(name: string): Value {
    const output = this.#file.statements.find(
      (statement) => statement.kind === 'output' && statement.name === name,
    );
    return output?.kind === 'output' ? evaluate(output.value, this) : unknown(name);
  }

  #module({ name, path, body }: ModuleStatement): Template {
    const known = this.#modules.get(name);
    if (known) return known;
    const params = propertyOf(bodyOf(body), 'params', this);
    const file = this.#beside(path);
    const parsed = parseBicep(file, this.#readFile(file));
    const module = new Template(parsed, isValues(params) ? params : {}, this.#readFile);
    this.#modules.set(name, module);
    return module;
  }

  #isDeployed({ body }: ModuleStatement): boolean {
    return body.kind !== 'if' || isTrue(body.condition, this);
  }

  #beside(path: string): string {
    return posix.join(posix.dirname(this.#file.path), path);
  }
}

function unknown(name: string): never {
  throw new Error(`${name} is not known`);
}
