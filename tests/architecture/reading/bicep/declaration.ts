import { azureFact } from './azure-facts.ts';
import { evaluate, isTrue, roundsOf, type Scope } from './evaluate.ts';
import type { Expression, ObjectExpression, ResourceStatement } from './syntax.ts';
import { Reference, textOf, type Value, type Values } from './values.ts';

/** A resource as it would be deployed. */
export interface DeployedResource {
  /** The file that declares it, from the root of the repository. */
  readonly file: string;
  /** `Microsoft.Storage/storageAccounts/blobServices`, without the version of the API. */
  readonly type: string;
  readonly name: string;
  readonly id: string;
  /** `id` of the resource that a lock, a role or a log is about. */
  readonly scope: string | undefined;
  readonly body: Values;
}

/** One resource of a file; a declaration with a loop is as many as the loop has rounds. */
export class Declaration {
  readonly statement: ResourceStatement;
  readonly scope: Scope;
  /** The resource inside of which it is declared. */
  readonly around: Declaration | undefined;

  constructor(statement: ResourceStatement, scope: Scope, around?: Declaration) {
    this.statement = statement;
    this.scope = scope;
    this.around = around;
  }

  get type(): string {
    const [type = ''] = this.statement.type.split('@');
    return this.around ? `${this.around.type}/${type}` : type;
  }

  get name(): string {
    return textOf(this.#property('name'));
  }

  /** Names and the last parts of the types, from the outermost parent inwards. */
  get id(): string {
    const parent = this.#property('parent');
    const within = parent instanceof Reference ? textOf(parent.member('id')) : this.around?.id;
    return within === undefined
      ? `${this.type}/${this.name}`
      : `${within}/${this.type.split('/').at(-1)}/${this.name}`;
  }

  /** What expressions see of it. */
  reference(): Reference {
    const { body } = this.statement;
    if (body.kind === 'loop') {
      const rounds = this.#rounds();
      return new Reference((number) => rounds[Number(number)]?.reference() ?? unknown(number), unknown);
    }
    const properties = new Reference((property) => azureFact(this.type, this.name, property), unknown);
    const member = (asked: string): Value => {
      if (asked === 'properties') return properties;
      return asked === 'name' ? this.name : asked === 'id' ? this.id : unknown(asked);
    };
    const inner = (asked: string): Value =>
      this.#inner()
        .find(({ statement }) => statement.name === asked)
        ?.reference() ?? unknown(asked);
    return new Reference(member, inner);
  }

  /** Everything it deploys, itself and what is declared inside. */
  deployed(file: string): DeployedResource[] {
    const { body, existing } = this.statement;
    if (body.kind === 'loop') return this.#rounds().flatMap((round) => round.deployed(file));
    if (body.kind === 'if' && !isTrue(body.condition, this.scope)) return [];
    const inner = this.#inner().flatMap((child) => child.deployed(file));
    return existing ? inner : [this.#deployed(file), ...inner];
  }

  #deployed(file: string): DeployedResource {
    const about = this.#property('scope');
    const keys = bodyOf(this.statement.body).properties.map(({ key }) => textOf(evaluate(key, this.scope)));
    const inBody = keys.filter((key) => !['dependsOn', 'name', 'parent', 'scope'].includes(key));
    const body = Object.fromEntries(inBody.map((key) => [key, this.#property(key)]));
    return {
      file,
      type: this.type,
      name: this.name,
      id: this.id,
      scope: about instanceof Reference ? textOf(about.member('id')) : undefined,
      body: JSON.parse(JSON.stringify(body)),
    };
  }

  #rounds(): Declaration[] {
    const { body } = this.statement;
    if (body.kind !== 'loop') return [this];
    const statement = { ...this.statement, body: body.body };
    return roundsOf(body, this.scope).map((round) => new Declaration(statement, round, this.around));
  }

  #inner(): Declaration[] {
    const { resources } = bodyOf(this.statement.body);
    return resources.map((statement) => new Declaration(statement, this.scope, this));
  }

  #property(name: string): Value | undefined {
    return propertyOf(bodyOf(this.statement.body), name, this.scope);
  }
}

/** The object behind `=`, whatever condition or loop stands before it. */
export function bodyOf(body: Expression): ObjectExpression {
  const inner = body.kind === 'if' || body.kind === 'loop' ? body.body : body;
  if (inner.kind !== 'object') throw new Error('the body of a resource or module is an object');
  return inner;
}

/** One property; the others are not evaluated, since they may name what is not deployed. */
export function propertyOf(body: ObjectExpression, name: string, scope: Scope): Value | undefined {
  const property = body.properties.find(({ key }) => evaluate(key, scope) === name);
  return property && evaluate(property.value, scope);
}

function unknown(name: string): never {
  throw new Error(`${name} is not known`);
}
