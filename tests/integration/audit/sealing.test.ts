import pg from 'pg';
import { describe, expect, it } from 'vitest';
import type { BlobStore } from '../../../src/lib/storage/index.ts';
import { toArray } from '../../support/to-array.ts';
import { fileEntry, openTrail, signal, type TestTrail } from './set-up.ts';

const sealsIn = ({ run }: TestTrail) =>
  run('select id, archived_at is not null as archived from audit_seals order by id');
const rowsBySeal = ({ run }: TestTrail) => run('select id, seal from audit_log order by id');

describe('sealing', () => {
  it('takes in every row once when several instances seal at once', async () => {
    const made = await openTrail();
    const other = made.again({});
    for (let n = 0; n < 10; n++) {
      await made.act('user-1', fileEntry(`f${n}`), fileEntry(`g${n}`));
      await Promise.all([made.trail.seal(signal), other.seal(signal), made.act('user-2', fileEntry('h'))]);
    }
    await made.trail.seal(signal);

    const verdict = await made.trail.verify(1, signal);

    expect(verdict).toMatchObject({ rows: 30, unsealedRows: 0, broken: undefined });
    expect((await toArray(made.archive.list('', { signal }))).length).toBe(verdict.seals);
  });

  it('takes in a row that is committed after later ones in a later batch', async () => {
    const made = await openTrail();
    await made.act('user-1', fileEntry('first'));
    const slow = new pg.Client(made.url);
    await slow.connect();
    await slow.query('begin');
    await slow.query(`insert into audit_log
      (actor, action, object_type, object_id, result, correlation_id, salt, personal_digest, client_address, before, after)
      select actor, action, object_type, 'slow', result, correlation_id, salt, personal_digest, null, before, after from audit_log`);
    await made.act('user-1', fileEntry('third'));
    await made.trail.seal(signal);

    await slow.query('commit');
    await slow.end();
    await made.trail.seal(signal);

    expect(await rowsBySeal(made)).toEqual([
      { id: '1', seal: '1' },
      { id: '2', seal: '2' },
      { id: '3', seal: '1' },
    ]);
    expect((await made.trail.verify(1, signal)).seals).toBe(1);
  });

  it('puts more rows than one seal holds under several, and leaves none', async () => {
    const made = await openTrail();
    await made.act('user-1', fileEntry('f1'));
    await made.run(`insert into audit_log
      (actor, action, object_type, object_id, result, correlation_id, personal_digest, client_address, before, after, salt)
      select actor, action, object_type, n::text, result, correlation_id, personal_digest, null, before, after, salt
      from audit_log, generate_series(2, 2500) as n`);

    await made.trail.seal(signal);

    expect(
      await made.run('select seal, count(*)::int as rows from audit_log group by seal order by seal'),
    ).toEqual([
      { seal: '1', rows: 1000 },
      { seal: '2', rows: 1000 },
      { seal: '3', rows: 500 },
    ]);
  });

  it('goes on with the archive where it broke off, before and after the seal was written there', async () => {
    const made = await openTrail();
    const down = () => Promise.reject(new Error('no archive today'));
    const lost: BlobStore['upload'] = async (...call) => {
      await made.archive.upload(...call);
      throw new Error('the answer was lost');
    };

    await made.act('user-1', fileEntry('f1'));
    await expect(made.again({ archive: { ...made.archive, upload: down } }).seal(signal)).rejects.toThrow();
    const unarchived = await sealsIn(made);
    const verdict = await made.trail.verify(1, signal);
    await made.act('user-1', fileEntry('f2'));
    await expect(made.again({ archive: { ...made.archive, upload: lost } }).seal(signal)).rejects.toThrow();
    await made.trail.seal(signal);

    expect(unarchived).toEqual([{ id: '1', archived: false }]);
    expect(verdict).toMatchObject({ seals: 1, broken: undefined });
    expect(await sealsIn(made)).toEqual([
      { id: '1', archived: true },
      { id: '2', archived: true },
    ]);
    expect(await made.trail.verify(1, signal)).toMatchObject({ seals: 2, broken: undefined });
  });

  it('is known by the age of the oldest row without a seal', async () => {
    const { trail, act, tamper } = await openTrail();
    const none = await trail.unsealedAgeSeconds(signal);
    await act('user-1', fileEntry('f1'));
    await tamper(`update audit_log set at = now() - interval '10 minutes'`);

    const age = await trail.unsealedAgeSeconds(signal);
    await trail.seal(signal);

    expect(none).toBe(0);
    expect(age).toBeGreaterThanOrEqual(600);
    expect(age).toBeLessThan(660);
    expect(await trail.unsealedAgeSeconds(signal)).toBe(0);
  });
});

describe('a seal in the archive', () => {
  it('is checked by sha256sum, and names its rows and the seal before', async () => {
    const { trail, act, archive } = await openTrail();
    await act('user-1', fileEntry('f1'));
    await trail.seal(signal);
    await act('user-1', fileEntry('f2'));
    await trail.seal(signal);

    const names = (await toArray(archive.list('', { signal }))).map(({ name }) => name);
    const texts: Buffer[] = [];
    for (const name of names)
      texts.push(
        Buffer.concat((await toArray((await archive.download(name, { signal })).body)) as Uint8Array[]),
      );

    const hashes = await Promise.all(
      texts.map(async (text) =>
        Buffer.from(await crypto.subtle.digest('SHA-256', new Uint8Array(text))).toString('hex'),
      ),
    );
    expect(names).toEqual([`000000000001-${hashes[0]}.json`, `000000000002-${hashes[1]}.json`]);
    expect(JSON.parse(String(texts[1]))).toEqual({
      seal: 2,
      previous: hashes[0],
      sealed_at: expect.any(String),
      rows: [[2, expect.stringMatching(/^[0-9a-f]{64}$/)]],
    });
  });
});
