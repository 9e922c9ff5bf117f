/**
 * Reads RFC 4180 by its grammar: fields by commas, records by CRLF, quotes doubled inside quotes. Refuses what the
 * grammar does not allow, so that it shares no leniency with what it checks.
 */
export function parseCsv(text: string): string[][] {
  const records: string[][] = [];
  let at = 0;
  while (at < text.length) {
    const record: string[] = [];
    for (;;) {
      const field = /^(?:"((?:[^"]|"")*)"|([^",\r\n]*))/.exec(text.slice(at));
      const [whole = '', inQuotes, plain = ''] = field ?? [];
      record.push(inQuotes === undefined ? plain : inQuotes.replaceAll('""', '"'));
      at += whole.length;
      if (text[at] !== ',') break;
      at += 1;
    }
    if (text.slice(at, at + 2) !== '\r\n') throw new Error(`A record ends badly at ${at}`);
    at += 2;
    records.push(record);
  }
  return records;
}
