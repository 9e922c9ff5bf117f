import { type Cursor, createCursor } from './cursor.ts';
import { readBody, readExpression } from './expression.ts';
import type { BicepFile, Decorator, Expression, ResourceStatement, Statement } from './syntax.ts';

/**
 * Reads a Bicep file: the part of the language that these templates use. There is no parser for Node to be had, and
 * reading by patterns would take comments and texts for code.
 *
 * @throws Error with path and line for what it does not know
 */
export function parseBicep(path: string, text: string): BicepFile {
  const cursor = createCursor(path, text);
  const statements: Statement[] = [];
  while (!cursor.isAtEnd()) statements.push(readStatement(cursor));
  return { path, statements };
}

const read = (cursor: Cursor): Expression => readExpression(cursor, readResource);

function readStatement(cursor: Cursor): Statement {
  const decorators = readDecorators(cursor);
  const keyword = cursor.match(/[a-zA-Z]+/);
  switch (keyword) {
    case 'targetScope':
      cursor.expect('=');
      return { kind: keyword, name: keyword, decorators, value: read(cursor) };
    case 'metadata':
    case 'var': {
      const name = readWord(cursor);
      cursor.expect('=');
      return { kind: keyword, name, decorators, value: read(cursor) };
    }
    case 'output': {
      const name = readWord(cursor);
      readType(cursor);
      cursor.expect('=');
      return { kind: keyword, name, decorators, value: read(cursor) };
    }
    case 'param': {
      const name = readWord(cursor);
      readType(cursor);
      const defaultValue = cursor.take('=') ? read(cursor) : undefined;
      return { kind: keyword, name, decorators, defaultValue };
    }
    case 'module': {
      const name = readWord(cursor);
      const path = readPlainText(cursor);
      cursor.expect('=');
      return { kind: keyword, name, decorators, path, body: readBody(cursor, () => read(cursor)) };
    }
    case 'resource':
      return finishResource(cursor, decorators);
    default:
      return cursor.fail(`the statement ${keyword} is not read`);
  }
}

function readResource(cursor: Cursor): ResourceStatement {
  cursor.expect('resource');
  return finishResource(cursor, []);
}

function finishResource(cursor: Cursor, decorators: readonly Decorator[]): ResourceStatement {
  const name = readWord(cursor);
  const type = readPlainText(cursor);
  const existing = cursor.take('existing');
  cursor.expect('=');
  const body = readBody(cursor, () => read(cursor));
  return { kind: 'resource', name, decorators, type, existing, body };
}

function readDecorators(cursor: Cursor): Decorator[] {
  const decorators: Decorator[] = [];
  while (cursor.take('@', 'anyLine')) {
    const call = read(cursor);
    if (call.kind !== 'call') cursor.fail('a decorator is a call');
    decorators.push({ name: call.name, args: call.args });
  }
  return decorators;
}

/** A plain type, or an array of one; the templates use no others. */
function readType(cursor: Cursor): void {
  if (cursor.match(/(?:string|int|bool|object|array)(?:\[\])?(?!\w)/) === undefined) {
    cursor.fail('expected a plain type');
  }
}

function readPlainText(cursor: Cursor): string {
  const text = read(cursor);
  if (text.kind !== 'text' || text.parts.length !== 1 || typeof text.parts[0] !== 'string') {
    return cursor.fail('expected a plain text');
  }
  return text.parts[0];
}

function readWord(cursor: Cursor): string {
  return cursor.match(/[A-Za-z_]\w*/) ?? cursor.fail('expected a name');
}
