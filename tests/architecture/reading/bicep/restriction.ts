import type { Expression, ParameterStatement } from './syntax.ts';
import { isList, type Value } from './values.ts';

/** Whether a value keeps a decorator with such an argument. */
const restrictions: Readonly<Record<string, (value: Value, argument: Expression | undefined) => boolean>> = {
  allowed: (value, argument) =>
    argument?.kind === 'list' && argument.items.some((item) => plainValue(item) === value),
  maxLength: (value, argument) => lengthOf(value) <= Number(plainValue(argument)),
  maxValue: (value, argument) => Number(value) <= Number(plainValue(argument)),
  minLength: (value, argument) => lengthOf(value) >= Number(plainValue(argument)),
  minValue: (value, argument) => Number(value) >= Number(plainValue(argument)),
};

/** The first decorator of a parameter that a value breaks, as it is written. */
export function brokenRestriction({ decorators }: ParameterStatement, value: Value): string | undefined {
  const broken = decorators.find(({ name, args }) => restrictions[name]?.(value, args[0]) === false);
  return broken && `@${broken.name}`;
}

function plainValue(expression: Expression | undefined): Value | undefined {
  switch (expression?.kind) {
    case 'literal':
      return expression.value;
    case 'text':
      return expression.parts.join('');
    case 'minus':
      return -Number(plainValue(expression.of));
    default:
      return undefined;
  }
}

function lengthOf(value: Value): number {
  return isList(value) || typeof value === 'string' ? value.length : Number.NaN;
}
