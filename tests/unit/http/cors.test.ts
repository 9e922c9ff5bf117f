import { describe, expect, it } from 'vitest';
import { corsHeaders, preflightAnswer } from '../../../src/lib/http/cors.ts';

describe('CORS', () => {
  it('lets nobody in unless origins are named', () => {
    expect(corsHeaders([], { origin: 'https://a.example' })).toEqual({});
  });

  it('names an allowed origin and no other, and tells caches that it matters', () => {
    const origins = ['https://a.example'];

    expect(corsHeaders(origins, { origin: 'https://a.example' })).toMatchObject({
      'access-control-allow-origin': 'https://a.example',
      vary: 'origin',
    });
    expect(corsHeaders(origins, { origin: 'https://b.example' })).toEqual({ vary: 'origin' });
    expect(corsHeaders(origins, {})).toEqual({ vary: 'origin' });
  });

  it('repeats no origin that was not named, nor lets credentials of a browser go along', () => {
    const origins = ['null', 'https://a.example.evil', 'HTTPS://A.EXAMPLE', 'http://a.example', ''];

    for (const origin of origins) {
      expect(corsHeaders(['https://a.example'], { origin })).toEqual({ vary: 'origin' });
      expect(corsHeaders(['*'], { origin })).toMatchObject({ 'access-control-allow-origin': '*' });
    }
    for (const allowed of ['*', 'https://a.example'])
      expect(corsHeaders([allowed], { origin: 'https://a.example' })).not.toHaveProperty(
        'access-control-allow-credentials',
      );
  });

  it('lets programs in browsers read what limits say', () => {
    expect(corsHeaders(['*'], {})).toMatchObject({
      'access-control-expose-headers': expect.stringContaining('ratelimit, ratelimit-policy, retry-after'),
    });
  });

  it('answers a preflight for all methods of the template', () => {
    const answer = preflightAnswer(['GET', 'HEAD', 'DELETE', 'OPTIONS'], {
      'access-control-request-method': 'DELETE',
    });

    expect(answer.status).toBe(204);
    expect(answer.headers).toMatchObject({
      allow: 'GET, HEAD, DELETE, OPTIONS',
      'access-control-allow-methods': 'GET, HEAD, DELETE, OPTIONS',
      'access-control-allow-headers': expect.stringContaining('x-api-key'),
    });
  });
});
