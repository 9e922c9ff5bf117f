import type { Cursor } from './cursor.ts';
import type { Expression, LoopExpression, ObjectExpression, ResourceStatement } from './syntax.ts';

const word = /[A-Za-z_]\w*/;
/** Weakest first; within a level from left to right. */
const levels = [
  ['??'],
  ['||'],
  ['&&'],
  ['==', '!=', '=~', '!~'],
  ['<=', '>=', '<', '>'],
  ['+', '-'],
  ['*', '/', '%'],
];

/** Reads a resource that is declared inside an object. */
type ResourceReader = (cursor: Cursor) => ResourceStatement;

/** Reads one expression. What the templates here do not use (multi-line texts, spreads, types) fails aloud. */
export function readExpression(cursor: Cursor, readResource: ResourceReader): Expression {
  const read = (): Expression => readChoice();

  function readChoice(): Expression {
    const condition = readBinary(0);
    if (!cursor.take('?', 'anyLine')) return condition;
    const yes = read();
    cursor.expect(':');
    return { kind: 'choice', condition, yes, no: read() };
  }

  function readBinary(level: number): Expression {
    const operators = levels[level];
    if (!operators) return readUnary();
    let left = readBinary(level + 1);
    for (;;) {
      const operator = operators.find((candidate) => cursor.take(candidate, 'anyLine'));
      if (operator === undefined) return left;
      left = { kind: 'binary', operator, left, right: readBinary(level + 1) };
    }
  }

  function readUnary(): Expression {
    if (cursor.take('!', 'anyLine')) return { kind: 'not', of: readUnary() };
    if (cursor.take('-', 'anyLine')) return { kind: 'minus', of: readUnary() };
    return readMembers(readPrimary());
  }

  function readMembers(of: Expression): Expression {
    let value = of;
    for (;;) {
      const notNull = cursor.mark();
      if (cursor.take('!')) {
        // `a!.b` says that a is there; `a != b` is left for the operators.
        if (cursor.take('.')) value = { kind: 'member', of: value, name: name() };
        else {
          cursor.reset(notNull);
          return value;
        }
      } else if (cursor.take('::')) value = { kind: 'nested', of: value, name: name() };
      else if (cursor.take('.')) value = { kind: 'member', of: value, name: name() };
      else if (cursor.take('[')) {
        value = { kind: 'index', of: value, at: read() };
        cursor.expect(']');
      } else return value;
    }
  }

  function readPrimary(): Expression {
    if (cursor.take("'", 'anyLine')) return readText();
    if (cursor.take('{', 'anyLine')) return readObject();
    if (cursor.take('[', 'anyLine')) return cursor.take('for', 'anyLine') ? readLoop() : readList();
    if (cursor.take('(', 'anyLine')) {
      const inner = read();
      cursor.expect(')');
      return inner;
    }
    const number = cursor.match(/\d+/);
    if (number !== undefined) return { kind: 'literal', value: Number(number) };
    return readName();
  }

  function readName(): Expression {
    const found = name();
    if (found === 'true' || found === 'false') return { kind: 'literal', value: found === 'true' };
    if (found === 'null') return { kind: 'literal', value: null };
    if (cursor.take('(')) return { kind: 'call', name: found, args: readUntil(')', read) };
    if (cursor.take('=>')) return { kind: 'lambda', parameter: found, body: read() };
    return { kind: 'name', name: found };
  }

  function readText(): Expression {
    const parts: (string | Expression)[] = [];
    if (cursor.raw(/''/) !== undefined) cursor.fail('multi-line texts are not read');
    for (;;) {
      const plain = cursor.raw(/(?:[^'\\$\n]|\\.|\$(?!\{))+/);
      if (plain !== undefined) parts.push(plain.replace(/\\u\{([0-9a-f]+)\}|\\(.)/gi, unescaped));
      else if (cursor.raw(/\$\{/) !== undefined) {
        parts.push(read());
        cursor.expect('}');
      } else if (cursor.raw(/'/) !== undefined) return { kind: 'text', parts };
      else cursor.fail('the text does not end');
    }
  }

  function readObject(): ObjectExpression {
    const properties: ObjectExpression['properties'][number][] = [];
    const resources: ResourceStatement[] = [];
    while (!cursor.take('}', 'anyLine')) {
      const start = cursor.mark();
      if (cursor.take('resource', 'anyLine') && cursor.match(word) !== undefined) {
        cursor.reset(start);
        resources.push(readResource(cursor));
      } else {
        cursor.reset(start);
        properties.push(readProperty());
      }
      cursor.take(',', 'anyLine');
    }
    return { kind: 'object', properties, resources };
  }

  function readProperty() {
    const key: Expression = cursor.take("'", 'anyLine') ? readText() : { kind: 'text', parts: [name()] };
    cursor.expect(':');
    return { key, value: read() };
  }

  function readList(): Expression {
    return { kind: 'list', items: readUntil(']', read) };
  }

  function readLoop(): LoopExpression {
    const isPair = cursor.take('(', 'anyLine');
    const item = name();
    let index: string | undefined;
    if (isPair) {
      cursor.expect(',');
      index = name();
      cursor.expect(')');
    }
    cursor.expect('in');
    const over = read();
    cursor.expect(':');
    const body = readBody(cursor, read);
    cursor.expect(']');
    return { kind: 'loop', item, index, over, body };
  }

  function readUntil<T>(end: string, readOne: () => T): T[] {
    const found: T[] = [];
    while (!cursor.take(end, 'anyLine')) {
      found.push(readOne());
      cursor.take(',', 'anyLine');
    }
    return found;
  }

  function name(): string {
    return cursor.match(word) ?? cursor.fail('expected a name');
  }

  return read();
}

/** What stands behind `=`: an expression that may depend on a condition. */
export function readBody(cursor: Cursor, read: () => Expression): Expression {
  if (!cursor.take('if', 'anyLine')) return read();
  cursor.expect('(');
  const condition = read();
  cursor.expect(')');
  return { kind: 'if', condition, body: read() };
}

function unescaped(_whole: string, codePoint?: string, letter?: string): string {
  if (codePoint !== undefined) return String.fromCodePoint(Number.parseInt(codePoint, 16));
  return { n: '\n', r: '\r', t: '\t' }[letter ?? ''] ?? letter ?? '';
}
