import { functions } from './functions.ts';
import type { Expression, LoopExpression, ObjectExpression } from './syntax.ts';
import { describe, isList, isValues, Lambda, listOf, Reference, textOf, type Value } from './values.ts';

/** What names stand for, and how a file beside this one is read. */
export interface Scope {
  find(name: string): Value | undefined;
  readJson(path: string): Value;
}

/**
 * Evaluates an expression.
 *
 * @throws Error when it uses what is not known here
 */
export function evaluate(expression: Expression, scope: Scope): Value {
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'text':
      return expression.parts
        .map((part) => (typeof part === 'string' ? part : textOf(evaluate(part, scope))))
        .join('');
    case 'name':
      return found(scope.find(expression.name), expression.name);
    case 'object':
      return evaluateObject(expression, scope);
    case 'list':
      return expression.items.map((item) => evaluate(item, scope));
    case 'loop':
      return roundsOf(expression, scope).map((round) => evaluate(expression.body, round));
    case 'lambda':
      return new Lambda((argument) =>
        evaluate(expression.body, withNames(scope, { [expression.parameter]: argument })),
      );
    case 'choice':
      return evaluate(isTrue(expression.condition, scope) ? expression.yes : expression.no, scope);
    case 'not':
      return !isTrue(expression.of, scope);
    case 'minus':
      return -Number(textOf(evaluate(expression.of, scope)));
    case 'binary':
      return evaluateBinary(expression, scope);
    case 'call':
      return call(expression.name, expression.args, scope);
    case 'member':
      return memberOf(evaluate(expression.of, scope), expression.name);
    case 'index':
      return memberOf(evaluate(expression.of, scope), textOf(evaluate(expression.at, scope)));
    case 'nested':
      return nestedOf(evaluate(expression.of, scope), expression.name);
    case 'if':
      throw new Error('a condition stands only before the body of a resource or module');
  }
}

/** The scopes in which the body of a loop is evaluated, one for each round. */
export function roundsOf(loop: LoopExpression, scope: Scope): Scope[] {
  return listOf(evaluate(loop.over, scope)).map((item, index) =>
    withNames(scope, { [loop.item]: item, ...(loop.index !== undefined && { [loop.index]: index }) }),
  );
}

export function isTrue(condition: Expression, scope: Scope): boolean {
  const value = evaluate(condition, scope);
  if (typeof value !== 'boolean') throw new Error(`${describe(value)} is neither true nor false`);
  return value;
}

function withNames(scope: Scope, names: Readonly<Record<string, Value>>): Scope {
  return { ...scope, find: (name) => (Object.hasOwn(names, name) ? names[name] : scope.find(name)) };
}

function evaluateObject({ properties }: ObjectExpression, scope: Scope): Value {
  return Object.fromEntries(
    properties.map(({ key, value }) => [textOf(evaluate(key, scope)), evaluate(value, scope)]),
  );
}

function evaluateBinary(
  { operator, left, right }: Extract<Expression, { kind: 'binary' }>,
  scope: Scope,
): Value {
  switch (operator) {
    case '&&':
      return isTrue(left, scope) && isTrue(right, scope);
    case '||':
      return isTrue(left, scope) || isTrue(right, scope);
    case '==':
      return evaluate(left, scope) === evaluate(right, scope);
    case '!=':
      return evaluate(left, scope) !== evaluate(right, scope);
    default:
      throw new Error(`the operator ${operator} is not read`);
  }
}

function call(name: string, args: readonly Expression[], scope: Scope): Value {
  const values = args.map((arg) => evaluate(arg, scope));
  if (name === 'loadJsonContent') return scope.readJson(textOf(values[0]));
  const known = functions[name];
  if (!known) throw new Error(`the function ${name} is not known here`);
  return known(...values);
}

function memberOf(of: Value, name: string): Value {
  if (of instanceof Reference) return of.member(name);
  if (isList(of)) return found(of[Number(name)], name);
  return found(isValues(of) ? of[name] : undefined, name);
}

function nestedOf(of: Value, name: string): Value {
  if (!(of instanceof Reference)) throw new Error(`${describe(of)} holds no resource ${name}`);
  return of.nested(name);
}

function found(value: Value | undefined, name: string): Value {
  if (value === undefined) throw new Error(`${name} is not known`);
  return value;
}
