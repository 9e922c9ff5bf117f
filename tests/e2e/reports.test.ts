import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { adminApi, bodyOf, expectProblem, newCaller } from '../support/api.ts';
import { pngBytes, uploaded } from '../support/uploads.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const report = '/api/v1/reports/upload-activity';

describe('the catalogue of reports', () => {
  it('tells of each report what a client needs to run it', async () => {
    const api = await newCaller('reports:read');

    const { data } = await bodyOf<{ data: Record<string, unknown>[] }>(api('/api/v1/reports'));

    expect(data).toEqual([
      {
        name: 'upload-activity',
        title: expect.any(String),
        description: expect.any(String),
        grain: expect.any(String),
        columns: expect.arrayContaining([{ name: 'uploaded_at', type: 'timestamp' }]),
        parameters: expect.objectContaining({ type: 'object' }),
        formats: ['json', 'ndjson', 'csv'],
      },
    ]);
  });
});

describe('upload-activity', () => {
  it('gives the same rows and the same hash in every format', async () => {
    const api = await newCaller('files:write', 'reports:read');
    const file = await uploaded(api, pngBytes(), { name: '=1+1,"x".png' });
    await uploaded(api);

    const json = await api(report);
    const ndjson = await api(report, { headers: { accept: 'application/x-ndjson' } });
    const csv = await api(`${report}?format=csv&trailer=row`);

    const whole = await bodyOf<{ report: string; data: object[]; summary: { rows: number; sha256: string } }>(
      json,
    );
    const [lines, last] = cutLastLine(await ndjson.text());
    const [records, trailer] = cutLastLine((await csv.text()).replaceAll('\r\n', '\n'));
    expect(Object.keys(whole)).toEqual(['report', 'parameters', 'data', 'summary']);
    expect(JSON.parse(last)).toEqual({ summary: whole.summary });
    expect(whole.summary).toEqual({ rows: 2, sha256: sha256(lines) });
    expect(lines).toBe(whole.data.map((row) => `${JSON.stringify(row)}\n`).join(''));
    expect(whole.data[0]).toMatchObject({ file_id: file.id, name: '=1+1,"x".png', status: 'available' });
    expect(records).toContain(`,${file.id},"'=1+1,""x"".png",image/png,`);
    expect(trailer).toBe(`#summary,2,${sha256(records.replaceAll('\n', '\r\n'))}`);
    expect(csv.headers.get('content-disposition')).toMatch(
      /^attachment; filename=upload-activity_.+_.+\.csv$/,
    );
    expect(ndjson.headers.get('content-type')).toBe('application/x-ndjson');
    for (const { headers } of [json, ndjson, csv]) {
      expect(headers.get('x-report-snapshot')).toMatch(/^\d+:\d+:/);
      expect(headers.get('x-report-generated-at')).toMatch(/^\d{4}-.+Z$/);
    }
  });

  it('shows each caller what it may see, and deleted files to admins only', async () => {
    const owner = await newCaller('files:write', 'reports:read');
    const stranger = await newCaller('reports:read');
    const { id } = await uploaded(owner);
    await owner(`/api/v1/files/${id}`, { method: 'DELETE' });
    const ids = async (api: typeof owner) => {
      const { data } = await bodyOf<{ data: { file_id: string }[] }>(api(report));
      return data.map((row) => row.file_id);
    };

    expect(await ids(owner)).toEqual([]);
    expect(await ids(stranger)).toEqual([]);
    expect(await ids(adminApi())).toContain(id);
  });

  it.each([
    ['format=xlsx', 422, 'validation_failed'],
    ['from=2026-02-01&to=2026-01-01', 422, 'validation_failed'],
    ['tz=Mars/Olympus', 422, 'validation_failed'],
    ['from=soon', 422, 'validation_failed'],
    ['rows=1', 422, 'validation_failed'],
    ['__proto__=1', 422, 'validation_failed'],
  ])('refuses ?%s', async (query, status, code) => {
    await expectProblem(await adminApi()(`${report}?${query}`), status, code);
  });

  it('is the only report there is', async () => {
    await expectProblem(await adminApi()('/api/v1/reports/nothing'), 404, 'not_found');
  });
});

/** The last line without its end, and everything before it. */
function cutLastLine(text: string): [before: string, last: string] {
  const cut = text.trimEnd().lastIndexOf('\n') + 1;
  return [text.slice(0, cut), text.slice(cut).trimEnd()];
}
