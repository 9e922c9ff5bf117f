import { describe, expect, it } from 'vitest';
import { anybody, endpoint } from '../../../src/lib/http/endpoint.ts';
import { readFileForm } from '../../../src/lib/http/index.ts';
import { serve } from './served.ts';

const limits = { maxFileBytes: 10, fields: ['name', 'sha256'] };

/** Tells what the form held. */
const upload = endpoint({
  name: 'files-upload',
  method: 'POST',
  route: 'api/v1/uploads',
  summary: 'Upload a file',
  access: anybody,
  responses: { 200: undefined },
  async handle({ raw }) {
    const { file, fields } = await readFileForm(raw, limits);
    return { ...file, bytes: file.bytes.toString(), fields };
  },
});

interface Part {
  readonly name: string;
  readonly value: string;
  readonly filename?: string;
  readonly type?: string;
}

function form(parts: readonly Part[], end = '--edge--\r\n'): string {
  const written = parts.map(({ name, value, filename, type }) => {
    const file = filename === undefined ? '' : `; filename="${filename}"`;
    const contentType = type === undefined ? '' : `content-type: ${type}\r\n`;
    return `--edge\r\ncontent-disposition: form-data; name="${name}"${file}\r\n${contentType}\r\n${value}\r\n`;
  });
  return written.join('') + end;
}

const file: Part = { name: 'file', value: 'content', filename: 'a.png', type: 'image/png' };

/** So many fields, of different names. */
const fields = (count: number): Part[] =>
  Array.from({ length: count }, (_, index) => ({ name: `f${index}`, value: '' }));

async function sent(body: string, contentType = 'multipart/form-data; boundary=edge') {
  await using served = await serve(upload);
  const headers = { 'content-type': contentType };
  const { status, text } = await served.ask({ method: 'POST', headers }, body);
  return { status, body: JSON.parse(text) as Record<string, unknown> };
}

describe('a form', () => {
  it('gives its file and its fields, which may stand before and after', async () => {
    const { body } = await sent(
      form([{ name: 'name', value: 'b.png' }, file, { name: 'sha256', value: 'ab' }]),
    );

    expect(body).toEqual({
      filename: 'a.png',
      contentType: 'image/png',
      bytes: 'content',
      tooLarge: false,
      fields: { name: 'b.png', sha256: 'ab' },
    });
  });

  it.each([
    ['of just the limit', 'x'.repeat(10), { tooLarge: false, bytes: 'x'.repeat(10) }],
    ['beyond the limit', 'x'.repeat(5_000), { tooLarge: true, bytes: 'x'.repeat(11) }],
    ['of nothing', '', { tooLarge: false, bytes: '' }],
  ])('may hold a file %s', async (_, value, expected) => {
    expect((await sent(form([{ ...file, value }]))).body).toMatchObject(expected);
  });

  it('has the name of its file as a browser writes it, with any folders', async () => {
    const { body } = await sent(form([{ ...file, filename: 'a/%22b%22%0D%0A.png' }]));

    expect(body).toMatchObject({ filename: 'a/"b"\r\n.png' });
  });

  it.each<[string, string, number, string]>([
    ['no file', form([{ name: 'name', value: 'b.png' }]), 422, 'file_part_required'],
    ['a file of another name', form([{ ...file, name: 'photo' }]), 422, 'file_part_required'],
    ['two files', form([file, file]), 422, 'one_file_only'],
    ['a field that is not known', form([file, { name: 'colour', value: 'red' }]), 422, 'validation_failed'],
    [
      'a field twice',
      form([{ name: 'name', value: 'a' }, { name: 'name', value: 'b' }, file]),
      422,
      'validation_failed',
    ],
    [
      'a field that is too long',
      form([{ name: 'name', value: 'x'.repeat(70_000) }, file]),
      422,
      'validation_failed',
    ],
    ['more fields than there are', form([...fields(4), file]), 422, 'validation_failed'],
    [
      'a name of a field that is too long',
      form([{ name: 'n'.repeat(101), value: 'a' }, file]),
      422,
      'validation_failed',
    ],
    ['a head of a part without end', `--edge\r\nx-a: ${'x'.repeat(200_000)}`, 400, 'malformed_body'],
    ['no end', form([file], ''), 400, 'malformed_body'],
    ['no form at all', 'garbage', 400, 'malformed_body'],
  ])('is refused with %s', async (_, body, status, code) => {
    expect(await sent(body)).toMatchObject({ status, body: { code } });
  });

  it('is not read on beyond a thousand parts, or one with a thousand headers', async () => {
    const parts = form([file, ...Array<Part>(1_000).fill(file)]);
    const headers = Array.from({ length: 1_000 }, (_, index) => `x-${index}: y\r\n`).join('');
    const crowded = form([file]).replace('content-type', `${headers}content-type`);

    expect(await sent(parts)).toMatchObject({ status: 422, body: { code: 'one_file_only' } });
    // Of the headers of a part the first 32 are looked at.
    expect(await sent(crowded)).toMatchObject({ status: 200, body: { filename: 'a.png', bytes: 'content' } });
  });

  it('is refused without a boundary', async () => {
    expect(await sent('x', 'multipart/form-data')).toMatchObject({
      status: 400,
      body: { code: 'malformed_body' },
    });
  });

  it('is refused when its client goes in the middle', async () => {
    await using served = await serve(upload);
    const request = served.send({
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=edge', 'content-length': '1000' },
    });
    request.on('error', () => {});
    request.write(form([file], ''), () => request.destroy());

    await expect.poll(() => served.lines(), { timeout: 5_000 }).toMatchObject([{ status: 499 }]);
  });
});
