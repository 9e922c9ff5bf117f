import { describe, expect, it } from 'vitest';
import { adminApi, bodyOf, expectProblem, json, newCaller } from '../support/api.ts';
import { pngBytes, uploadForm, uploadRaw } from '../support/uploads.ts';

/** What hides, forges or cannot be kept: NUL, a line break, an escape, C1, an override, half a character. */
const hostile = ['\0', '\n', '\x1b', '\x9b', '\u202e', '\ud800'];
/** The last one has no form in UTF-8, so no address or header can carry it. */
const encodable = hostile.filter((text) => text.isWellFormed());

describe('a text from outside with control characters', () => {
  it.each(encodable)('is refused in the name of a file: %j', async (text) => {
    const api = await newCaller('files:write');
    const name = `a${text}.png`;

    const answers = [
      await uploadForm(api, pngBytes(), { fields: { name } }),
      await uploadRaw(api, pngBytes(), { 'x-file-name': encodeURIComponent(name) }),
    ];

    for (const answer of answers) await expectProblem(answer, 422, 'validation_failed');
  });

  it.each(hostile)('is refused in the metadata of a file, in names as in texts: %j', async (text) => {
    const api = await newCaller('files:write');
    const pathsOf = async (metadata: object) => {
      const response = await uploadForm(api, pngBytes(), { fields: { metadata: JSON.stringify(metadata) } });
      expect(response.status).toBe(422);
      return (await bodyOf<{ errors: { path: string }[] }>(response)).errors.map(({ path }) => path);
    };

    expect(await pathsOf({ place: `shelf${text}` })).toEqual(['metadata.place']);
    expect((await pathsOf({ [`place${text}`]: 'shelf' }))[0]).toMatch(/^metadata\.place/);
  });

  it.each(encodable)('is refused in a query: %j', async (text) => {
    const value = encodeURIComponent(`a${text}`);
    const api = adminApi();

    for (const query of ['prefix', 'content_type', 'project_id', 'created_after', 'sort', 'cursor', 'page']) {
      await expectProblem(await api(`/api/v1/files?${query}=${value}`), 422, 'validation_failed');
    }
    for (const query of [`tz=${value}`, `from=${value}`, `${value}=1`]) {
      await expectProblem(await api(`/api/v1/reports/upload-activity?${query}`), 422, 'validation_failed');
    }
  });

  // NUL in an address is refused by the platform.
  it.each(encodable.slice(1))('names nothing in an address: %j', async (text) => {
    const name = encodeURIComponent(`blob${text}`);

    for (const path of ['reports', 'backups', 'files', 'jobs']) {
      await expectProblem(await adminApi()(`/api/v1/${path}/${name}`), 404, 'not_found');
    }
    await expectProblem(
      await adminApi()(`/api/v1/monitoring/breakers/${name}`, json({ state: 'auto' })),
      404,
      'not_found',
    );
  });

  it.each(hostile)('is refused in a body: %j', async (text) => {
    const body = { file_id: crypto.randomUUID(), content_disposition: `inline; filename="a${text}"` };

    await expectProblem(await adminApi()('/api/v1/sas', json(body)), 422, 'validation_failed');
    await expectProblem(
      await adminApi()('/api/v1/sas', json({ file_id: `a${text}` })),
      422,
      'validation_failed',
    );
    await expectProblem(
      await adminApi()('/api/v1/backups', json({ kind: `full${text}` })),
      422,
      'validation_failed',
    );
    await expectProblem(await adminApi()('/api/v1/sas', json({ [`a${text}`]: 1 })), 422, 'validation_failed');
  });

  it('is no reason to refuse what only looks unusual', async () => {
    const api = await newCaller('files:write', 'files:read');
    const name = '👨‍👩‍👧 צב.png';

    const stored = await uploadForm(api, pngBytes(), { fields: { name, metadata: '{"żółw":"a\\"b <c>"}' } });
    const found = await api(`/api/v1/files?prefix=${encodeURIComponent('👨‍👩‍👧')}`);

    expect(await bodyOf(stored)).toMatchObject({ name, metadata: { żółw: 'a"b <c>' } });
    expect(await bodyOf<{ data: unknown[] }>(found)).toMatchObject({ data: [{ name }] });
  });
});
