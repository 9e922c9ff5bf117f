/** A plain or a quoted identifier. */
const identifier = String.raw`(?:"(?:[^"]|"")+"|[^\s".(]+)`;
const copyTarget = new RegExp(String.raw`^COPY (${identifier}(?:\.${identifier})?)[\s(]`);
const identifiers = new RegExp(identifier, 'g');

/**
 * The table a COPY statement of a dump fills, as `schema.table` without quotes.
 *
 * @throws Error when the statement is not one that pg_dump writes
 */
export function copyTableName(statement: string): string {
  const target = copyTarget.exec(statement)?.[1];
  if (target === undefined) throw new Error(`Not a COPY statement of a dump: ${statement.slice(0, 200)}`);
  return (target.match(identifiers) ?? []).map(unquote).join('.');
}

function unquote(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}
