import { describe, expect, it } from 'vitest';
import { resourceOf } from '../../../src/lib/http/resource.ts';

describe('what a request acts on', () => {
  it.each([
    ['api/v1/files/{id}', '/api/v1/files/7f', 'files/7f'],
    ['api/v1/files/{id}/content', '/api/v1/files/7f/content?download=1', 'files/7f'],
    ['api/v1/reports/{name}', '/api/v1/reports/upload-activity?from=2026-01-01', 'reports/upload-activity'],
    ['api/v1/projects/{id}/members/{user_id}', '/api/v1/projects/1/members/2', 'projects/1/members/2'],
    ['{id}', '/7f', '7f'],
    ['api/v1/files/{id}', '/api/v1/files/', 'files/'],
    ['api/v1/files/{id}', '/', 'files/'],
    ['api/v1/files/{id}', '/api/v1/files/%0a%22x', 'files/%0a%22x'],
    ['api/v1/files', '/api/v1/files?prefix=a', undefined],
  ])('is, by the template %s and the address %s, %s', (route, url, resource) => {
    expect(resourceOf(route, url)).toBe(resource);
  });

  it('shows no secret, by its name or by its shape, and is bounded', () => {
    const key = `csk_0123456789abcdef_${'s'.repeat(43)}`;

    expect(resourceOf('s/{token}', '/s/abcdefgh')).toBe('s/[redacted]');
    expect(resourceOf('api/v1/files/{id}', `/api/v1/files/${key}`)).toBe(
      'files/csk_0123456789abcdef_[redacted]',
    );
    expect(resourceOf('api/v1/files/{id}', `/api/v1/files/${'x'.repeat(8_000)}`)).toHaveLength(200);
  });
});
