import type { Edm, TableEntity as WireEntity } from '@azure/data-tables';
import type { StoredEntity, TableEntity, TableValue } from './ports.ts';

const int32 = { min: -(2 ** 31), max: 2 ** 31 - 1 };

/** Columns the service adds, which are no part of the row. */
const serviceColumns = new Set(['etag', 'timestamp']);

/** @throws TypeError for a number that is not finite: the service would keep nothing */
export function toWire(entity: TableEntity): WireEntity {
  const columns = Object.entries(entity).filter(
    (column): column is [string, TableValue] => column[1] !== undefined,
  );
  return {
    partitionKey: entity.partitionKey,
    rowKey: entity.rowKey,
    ...Object.fromEntries(columns.map(([name, value]) => [name, toWireValue(name, value)])),
  };
}

export function fromWire(wire: Readonly<Record<string, unknown>>): StoredEntity {
  const { etag, partitionKey, rowKey, ...rest } = wire;
  const columns = Object.entries(rest).filter(
    ([name]) => !serviceColumns.has(name) && !name.startsWith('odata'),
  );
  const entity = {
    partitionKey: String(partitionKey),
    rowKey: String(rowKey),
    ...(Object.fromEntries(columns) as Record<string, TableValue>),
  };
  return { entity, etag: String(etag) };
}

/** Whole numbers travel as 32-bit integers unless their type is named. */
function toWireValue(name: string, value: TableValue): TableValue | Edm<'Double'> {
  if (typeof value !== 'number') return value;
  if (!Number.isFinite(value)) throw new TypeError(`Column ${name} holds ${value}, which no table keeps`);
  const fits = Number.isInteger(value) && value >= int32.min && value <= int32.max;
  return fits ? value : { type: 'Double', value };
}

/** True when both rows hold the same columns with the same values. */
export function isSameRow(a: TableEntity, b: TableEntity): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => isSameValue(a[name], b[name]));
}

function isSameValue(a: TableValue | undefined, b: TableValue | undefined): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime();
  return a === b;
}
