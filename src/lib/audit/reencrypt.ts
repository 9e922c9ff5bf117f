import { type Database, sql } from '../database/index.ts';
import type { Keyring } from '../security/index.ts';
import { decryptAddress, encryptAddress } from './client-address.ts';
import type { AuditRow } from './hashes.ts';

/** Short locks; broken off, the next run goes on, because what is done needs the current key only. */
const batchRows = 500;

interface ReencryptPorts {
  readonly database: Database;
  readonly keyring: Keyring;
}

type EncryptedRow = Pick<AuditRow, 'id' | 'client_address' | 'salt'>;

/**
 * Encrypts all client addresses under the current key, so that the previous one is not needed any more. One that cannot be
 * decrypted keeps none of the others from it.
 *
 * @param onProgress - told how many are done, after each batch
 * @returns how many were encrypted anew
 * @throws FieldKeyError at the end, the first of the addresses that could not be decrypted
 */
export async function reencryptAddresses(
  ports: ReencryptPorts,
  signal: AbortSignal,
  onProgress: (done: number) => void = () => {},
): Promise<number> {
  const { database, keyring } = ports;
  let changed = 0;
  let after = 0;
  const failures: unknown[] = [];
  for (;;) {
    const rows = await findEncrypted(database, after, signal);
    const last = rows.at(-1);
    if (!last) break;
    after = last.id;
    const old = rows.filter(({ client_address: bytes }) => bytes && !keyring.isCurrent(bytes));
    const anew = old.flatMap((row) => {
      try {
        return [encryptedAnew(keyring, row)];
      } catch (error) {
        failures.push(error);
        return [];
      }
    });
    if (anew.length === 0) continue;
    changed += await rewrite(database, anew, signal);
    onProgress(changed);
  }
  if (failures.length > 0) throw failures[0];
  return changed;
}

function findEncrypted(database: Database, after: number, signal: AbortSignal): Promise<EncryptedRow[]> {
  return database.read('find addresses', signal, (db) =>
    db
      .selectFrom('audit_log')
      .select(['id', 'client_address', 'salt'])
      .where('id', '>', after)
      .where('client_address', 'is not', null)
      .orderBy('id')
      .limit(batchRows)
      .execute(),
  );
}

/** A row of values: id, what is encrypted, and the same under the current key. */
function encryptedAnew(keyring: Keyring, row: EncryptedRow) {
  const bytes = row.salt && encryptAddress(keyring, decryptAddress(keyring, row), row.salt);
  return sql`(${row.id}::bigint, ${row.client_address}::bytea, ${bytes}::bytea)`;
}

/** A row that was erased meanwhile stays erased. */
async function rewrite(
  database: Database,
  values: readonly ReturnType<typeof encryptedAnew>[],
  signal: AbortSignal,
): Promise<number> {
  const { numAffectedRows } = await database.transaction('encrypt addresses', signal, (trx) =>
    sql`
      update audit_log set client_address = anew.bytes
      from (values ${sql.join(values)}) as anew (id, old, bytes)
      where audit_log.id = anew.id and client_address = anew.old`.execute(trx),
  );
  return Number(numAffectedRows ?? 0);
}
