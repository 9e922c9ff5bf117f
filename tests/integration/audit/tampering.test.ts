import { describe, expect, it } from 'vitest';
import { sealHash, sealText } from '../../../src/lib/audit/seals.ts';
import type { Db } from '../../../src/lib/database/index.ts';
import { toArray } from '../../support/to-array.ts';
import { fileEntry, openTrail, signal, type TestTrail } from './set-up.ts';

/** Three seals: of rows 1 and 2, 3 and 4, 5 and 6; each with a row of two users about the data of a third. */
async function sealedTrail(): Promise<TestTrail> {
  const made = await openTrail();
  const pairs = [
    ['f1', 'f2'],
    ['f3', 'f4'],
    ['f5', 'f6'],
  ] as const;
  for (const [first, second] of pairs) {
    await made.act('user-1', fileEntry(first, { subjectId: 'owner', before: { name: 'old' } }));
    await made.act('user-2', fileEntry(second, { subjectId: 'owner', before: { name: 'older' } }));
    await made.trail.seal(signal);
  }
  return made;
}

async function brokenIn({ trail }: TestTrail, from = 1) {
  return (await trail.verify(from, signal)).broken;
}

async function archivedIn({ archive }: TestTrail): Promise<string[]> {
  return (await toArray(archive.list('', { signal }))).map(({ name }) => name);
}

describe('a trail that nobody has tampered with', () => {
  it('is found to be as it was, from its beginning or from a seal on', async () => {
    const { act, trail } = await sealedTrail();
    await act('user-1', fileEntry('f7'));

    expect(await trail.verify(1, signal)).toEqual({ seals: 3, rows: 6, unsealedRows: 1, broken: undefined });
    expect(await trail.verify(3, signal)).toMatchObject({ seals: 1, rows: 2, broken: undefined });
    expect(await trail.verify(4, signal)).toMatchObject({ seals: 0, rows: 0, broken: undefined });
  });

  it('is empty', async () => {
    const { trail } = await openTrail();
    await trail.seal(signal);

    expect(await trail.verify(1, signal)).toEqual({ seals: 0, rows: 0, unsealedRows: 0, broken: undefined });
  });
});

const otherFacts = 'has a changed address or other facts';

/** What each column of a row becomes, and what is then said of the row. */
const columns: Readonly<Record<string, readonly [value: string, fault: string]>> = {
  id: ['1003', 'is missing from its seal'],
  at: [`at + interval '1 millisecond'`, 'was changed'],
  actor: ['(select actor from audit_log where id = 4)', 'was changed'],
  action: [`'file.delete'`, 'was changed'],
  object_type: [`'backup'`, 'was changed'],
  object_id: [`'f4'`, 'was changed'],
  subject: ['null', 'was changed'],
  result: [`'refused'`, 'was changed'],
  correlation_id: [`'another-one'`, 'was changed'],
  client_address: ['null', otherFacts],
  before: [`'{"name":"new"}'`, otherFacts],
  after: [`after || '{"size":8}'`, otherFacts],
  salt: ['null', otherFacts],
  personal_digest: ['(select personal_digest from audit_log where id = 4)', 'was changed'],
  seal: ['null', 'is missing from its seal'],
};

describe('tampering with a sealed row', () => {
  it('is tried out for every column there is', async () => {
    const { run } = await openTrail();

    const rows = await run(
      `select column_name as name from information_schema.columns where table_name = 'audit_log'`,
    );

    expect(rows.map(({ name }) => name).toSorted()).toEqual(Object.keys(columns).toSorted());
  });

  it('is found and named, whichever column is changed', async () => {
    const made = await sealedTrail();
    await made.tamper(
      'alter table audit_log alter id drop identity',
      'create table kept as select * from audit_log where id = 3',
    );
    for (const [column, [value, fault]] of Object.entries(columns)) {
      await made.tamper(`update audit_log set ${column} = ${value} where id = 3`);

      const verdict = await made.trail.verify(1, signal);

      expect({ column, ...verdict }).toMatchObject({ column, seals: 1, broken: { seal: 2, row: 3, fault } });
      await made.tamper(
        'delete from audit_log where id in (3, 1003)',
        'insert into audit_log select * from kept',
      );
    }
    expect(await brokenIn(made)).toBeUndefined();
  });

  it.each([
    ['a row is deleted', 'delete from audit_log where id = 4', 4, 'is missing from its seal'],
    [
      'a row is added',
      `insert into audit_log (id, actor, action, object_type, object_id, result, correlation_id, personal_digest, seal)
       overriding system value select 100, actor, action, object_type, object_id, result, correlation_id, personal_digest, 2
       from audit_log where id = 3`,
      100,
      'was added',
    ],
    [
      'a row is kept from ever being sealed',
      'update audit_log set seal = 0 where id = 7',
      7,
      'claims a seal that there cannot be',
    ],
    ['a row is moved to another seal', 'update audit_log set seal = 2 where id = 1', 1, 'is missing'],
    [
      'two rows are swapped',
      `update audit_log as a set (at, object_id, salt, personal_digest, client_address) =
         (b.at, b.object_id, b.salt, b.personal_digest, b.client_address)
       from audit_log as b where (a.id, b.id) in ((3, 4), (4, 3))`,
      3,
      'was changed',
    ],
    [
      'an address is copied from another row',
      `update audit_log set client_address = (select client_address from audit_log where id = 4) where id = 3`,
      3,
      'has an address that cannot be decrypted',
    ],
    [
      'its personal part is removed',
      'update audit_log set client_address = null, before = null, after = null, salt = null where id = 4',
      4,
      'has lost address and facts, and no erasure is on record',
    ],
    [
      'the names of two users are exchanged',
      `update audit_actors set user_id = user_id || '-'`,
      1,
      'has another name for who acted than it was written with',
    ],
    [
      'the name of whom it is about is changed',
      `update audit_actors set user_id = 'somebody' where user_id = 'owner'`,
      1,
      'has another name for whom it is about',
    ],
    [
      'a name is removed',
      `delete from audit_actors where user_id = 'user-2'`,
      2,
      'has lost who acted, and no erasure is on record',
    ],
  ])('is found and named when %s', async (_, statement, row, fault) => {
    const made = await sealedTrail();
    await made.act('user-1', fileEntry('f7'));

    await made.tamper(statement);

    expect(await brokenIn(made)).toMatchObject({ row, fault: expect.stringContaining(fault) });
  });
});

const removed = 'is missing from the database: it was removed, or the database was restored';

describe('tampering with a seal', () => {
  it.each([
    ['its time', `update audit_seals set sealed_at = sealed_at + interval '1 second' where id = 2`],
    ['its hash', `update audit_seals set hash = sha256('other') where id = 2`],
    ['what it follows', `update audit_seals set previous = sha256('other') where id = 2`],
    [
      'its rows',
      `update audit_seals set rows = set_byte(rows, 20, 1 + get_byte(rows, 20) % 255) where id = 2`,
    ],
    ['the end of its rows', `update audit_seals set rows = rows || 'x' where id = 2`],
  ])('is found and named when %s is changed', async (_, statement) => {
    const made = await sealedTrail();

    await made.tamper(statement);

    expect(await brokenIn(made)).toEqual({
      seal: 2,
      fault: 'was changed: it is not the hash of what it says',
    });
  });

  it('is found and named when it is made anew to follow another', async () => {
    const made = await sealedTrail();
    const read = (db: Db) =>
      db.selectFrom('audit_seals').selectAll().where('id', '=', 2).executeTakeFirstOrThrow();
    const seal = await made.database.read('look', signal, read);
    const hash = sealHash(sealText({ ...seal, previous: Buffer.alloc(32) })).toString('hex');

    await made.tamper(
      `update audit_seals set previous = '\\x${'00'.repeat(32)}', hash = '\\x${hash}' where id = 2`,
    );

    expect(await brokenIn(made)).toEqual({ seal: 2, fault: 'was changed: it does not follow seal 1' });
  });

  it('is found when a seal in the middle is deleted, and when the last ones are', async () => {
    const [middle, last] = [await sealedTrail(), await sealedTrail()];

    await middle.tamper('delete from audit_seals where id = 2');
    await last.tamper('delete from audit_seals where id >= 2');

    expect(await brokenIn(middle)).toMatchObject({ seal: 2, fault: expect.stringContaining(removed) });
    expect(await brokenIn(last)).toMatchObject({ seal: 2, fault: expect.stringContaining(removed) });
    expect(await brokenIn(middle, 3)).toMatchObject({ seal: 2, fault: expect.stringContaining(removed) });
  });

  it('is found when the last ones are deleted with all their rows, by what is in the archive', async () => {
    const made = await sealedTrail();

    await made.tamper('delete from audit_seals where id >= 2', 'delete from audit_log where seal >= 2');

    expect(await brokenIn(made)).toMatchObject({ seal: 2, fault: expect.stringContaining(removed) });
  });

  it('is found when rows are taken out of their seal and sealed anew', async () => {
    const made = await sealedTrail();
    const [, second] = await archivedIn(made);

    await made.tamper(
      'delete from audit_seals where id >= 2',
      `update audit_log set seal = null, object_id = 'f9' where seal >= 2`,
    );
    await made.trail.seal(signal);

    expect(await brokenIn(made)).toEqual({
      seal: 2,
      fault: `is another than the one in the archive, ${second}: it was changed, or the database was restored to a moment before it and went on from there`,
    });
    expect(await archivedIn(made)).toHaveLength(4);
  });
});

describe('tampering with the archive', () => {
  it('is found and named when a seal is missing', async () => {
    const made = await sealedTrail();
    const [, second = ''] = await archivedIn(made);

    await made.archive.delete(second, { signal });

    expect(await brokenIn(made)).toEqual({ seal: 2, fault: `is missing from the archive: ${second}` });
  });

  it.each([
    ['shorter', (text: string) => text.slice(1)],
    ['longer', (text: string) => `${text} `],
    ['other', (text: string) => text.replace(/\d/, (digit) => String((Number(digit) + 1) % 10))],
  ])('is found and named when a seal is %s', async (_, change) => {
    const made = await sealedTrail();
    const [, second = ''] = await archivedIn(made);
    const chunks = await toArray((await made.archive.download(second, { signal })).body);
    const text = Buffer.concat(chunks as Uint8Array[]).toString();

    await made.archive.upload(second, Buffer.from(change(text)), {
      contentType: 'application/json',
      signal,
    });

    expect(await brokenIn(made)).toEqual({
      seal: 2,
      fault: `was changed in the archive: ${second} is not what was sealed`,
    });
  });

  it('is not what somebody puts beside the seals', async () => {
    const made = await sealedTrail();

    await made.archive.upload('notes.txt', Buffer.from('x'), { contentType: 'text/plain', signal });

    expect(await brokenIn(made)).toBeUndefined();
  });
});
