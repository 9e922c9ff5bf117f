import { describe, expect, it } from 'vitest';
import { compileRoute } from '../../../local/host/routes.ts';

describe('a route', () => {
  it.each([
    ['api/health', '/API/health/', {}],
    ['/api/{name}', '/api/a b', { name: 'a b' }],
    ['files/{*rest}', '/files/a/b.c', { rest: 'a/b.c' }],
    ['files/{*rest}', '/files', { rest: undefined }],
    ['a.b/$x(1)', '/a.b/$x(1)', {}],
  ])('%s matches %s', (template, path, params) => {
    expect({ ...compileRoute(template).exec(path)?.groups }).toEqual(params);
  });

  it.each([
    ['api/{name}', '/api/a/b'],
    ['api/{name}', '/api/'],
    ['a.b', '/axb'],
    ['files/{*rest}', '/filesystem'],
  ])('%s does not match %s', (template, path) => {
    expect(compileRoute(template).test(path)).toBe(false);
  });

  it.each(['{a}.{b}', '{id:int}', '{name=default}', '{a', '{part?}'])('refuses %s', (template) => {
    expect(() => compileRoute(template)).toThrow(template);
  });
});
