import { describe, expect, it } from 'vitest';
import { compileRoute } from '../../../local/host/routes.ts';

describe('a route', () => {
  it.each([
    ['api/health', '/API/health/', {}],
    ['/api/{name}', '/api/a b', { name: 'a b' }],
    ['api/{id:int}/{part?}', '/api/-4', { id: '-4' }],
    [
      'api/{id:guid}',
      '/api/7D444840-9DC0-11D1-B245-5FFDCE74FAD2',
      { id: '7D444840-9DC0-11D1-B245-5FFDCE74FAD2' },
    ],
    ['files/{*rest}', '/files/a/b.c', { rest: 'a/b.c' }],
    ['files/{*rest}', '/files', {}],
    ['a.b/$x(1)', '/a.b/$x(1)', {}],
  ])('%s matches %s', (template, path, params) => {
    expect(compileRoute(template)(path)).toEqual(params);
  });

  it.each([
    ['api/{name}', '/api/a/b'],
    ['api/{name}', '/api/'],
    ['api/{id:int}', '/api/4x'],
    ['a.b', '/axb'],
    ['files/{*rest}', '/filesystem'],
  ])('%s does not match %s', (template, path) => {
    expect(compileRoute(template)(path)).toBeUndefined();
  });

  it.each(['{a}.{b}', '{id:range(1,2)}', '{name=default}', '{a', '{id:nothing}'])(
    'refuses %s',
    (template) => {
      expect(() => compileRoute(template)).toThrow(template);
    },
  );
});
