import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { DatabaseAddress } from './address.ts';
import { blocksOf, inLot } from './blocks.ts';
import { type CrownSafeTable, crownSafeTables } from './crown-safe-tables.ts';
import { withSoleDeployer } from './deployer.ts';
import { asOwner, findOwner } from './roles/owner.ts';
import { hasBothSides, keepSidesApart } from './two-sides.ts';

/** Where the objects of a bucket went. */
export interface Move {
  readonly bucket: string;
  /** With what the addresses of its objects begin, for example `https://photos.s3.eu-north-1.amazonaws.com/`. */
  readonly s3Url: string;
  readonly container: string;
  /** With what the addresses of the blobs begin: `https://<account>.blob.core.windows.net/<container>/`. */
  readonly blobUrl: string;
}

/**
 * Has the rows of the objects that were copied to Azure name them there. The side of S3 stays as it is, for the version
 * that reads it and for the way back. Signatures in addresses are left out, they open nothing there. Done lot by lot, like
 * the filling of the sides; a second time it changes what was written since.
 *
 * @returns how many rows were changed
 * @throws Error when the move is not plausible, or comes after the names of S3 have been dropped
 */
export function repoint(address: DatabaseAddress, move: Move): Promise<number> {
  requirePlausible(move);
  return withSoleDeployer(address, async (db) =>
    asOwner(db, await findOwner(db), async () => {
      for (const table of crownSafeTables)
        if (!(await hasBothSides(db, table)))
          throw new Error(`${table} has no side of S3 any more, and would forget where its photos were`);
      let changed = 0n;
      for (const table of crownSafeTables)
        for await (const block of blocksOf(db, table))
          changed += await inLot(db, (trx) => repointBlock(trx, table, block, move));
      return Number(changed);
    }),
  );
}

async function repointBlock(
  trx: Transaction<unknown>,
  table: CrownSafeTable,
  block: RawBuilder<boolean>,
  { bucket, s3Url, container, blobUrl }: Move,
): Promise<bigint> {
  const renamed = bucket !== container;
  await keepSidesApart(trx);
  const { numAffectedRows } = await sql`
    update ${sql.table(table)} set
      blob_container = case blob_container when ${bucket} then ${container} else blob_container end,
      blob_url = case when starts_with(blob_url, ${s3Url})
        then ${blobUrl} || split_part(substr(blob_url, ${s3Url.length + 1}), '?', 1) else blob_url end
    where ${block} and (starts_with(blob_url, ${s3Url}) or (${renamed} and blob_container = ${bucket}))`.execute(
    trx,
  );
  return numAffectedRows ?? 0n;
}

function requirePlausible({ s3Url, container, blobUrl }: Move): void {
  if (!/^(?:https|s3):\/\/[^?]+\/$/.test(s3Url))
    throw new Error('the address of S3 must begin with https:// or s3:// and end with /');
  // https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata
  if (!/^[a-z0-9](?:[a-z0-9]|-(?=[a-z0-9])){2,62}$/.test(container))
    throw new Error(`${container} cannot be the name of a container`);
  if (!/^https?:\/\/[^?]+\/$/.test(blobUrl) || !blobUrl.endsWith(`/${container}/`))
    throw new Error('the address of the blobs must end with the name of the container and /');
}
