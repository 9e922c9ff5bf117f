import { LocalError } from '../local-error.ts';

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
/** 29 February may meet a given weekday only after forty years (around 2100). */
const searchLimitMs = 41 * 366 * 86_400_000;

/**
 * Reads an NCRONTAB expression: five fields, or six with seconds first, in UTC. Day and weekday must both match.
 *
 * @returns what finds the first time after another, in epoch milliseconds
 */
export function parseSchedule(expression: string): (epochMs: number) => number {
  const parts = expression.trim().split(/\s+/);
  const [s = '', m = '', h = '', d = '', mo = '', w = '', more] =
    parts.length === 5 ? ['0', ...parts] : parts;
  if (!w || more) throw new LocalError(`"${expression}" is not an NCRONTAB expression.`);
  const [second, minute, hour] = [parseField(s, 0, 59), parseField(m, 0, 59), parseField(h, 0, 23)];
  const [day, month, weekday] = [
    parseField(d, 1, 31),
    parseField(mo, 1, 12, months),
    parseField(w, 0, 6, days),
  ];
  return (epochMs) => {
    const at = new Date(Math.floor(epochMs / 1000) * 1000 + 1000);
    while (at.getTime() - epochMs < searchLimitMs) {
      if (!month.has(at.getUTCMonth() + 1)) at.setTime(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1));
      else if (!day.has(at.getUTCDate()) || !weekday.has(at.getUTCDay())) at.setUTCHours(24, 0, 0);
      else if (!hour.has(at.getUTCHours())) at.setUTCMinutes(60, 0);
      else if (!minute.has(at.getUTCMinutes())) at.setUTCSeconds(60);
      else if (!second.has(at.getUTCSeconds())) at.setUTCSeconds(at.getUTCSeconds() + 1);
      else return at.getTime();
    }
    throw new LocalError(`The schedule "${expression}" names a time that never comes.`);
  };
}

/** The values of one field, for example of `1-10/3,15`; throws when it cannot be read. */
function parseField(text: string, low: number, high: number, names: readonly string[] = []): Set<number> {
  const read = (word: string) => {
    const index = names.indexOf(word.slice(0, 3).toLowerCase());
    return index < 0 ? Number(word) : low + index;
  };
  const values = new Set<number>();
  for (const item of text.split(',')) {
    const [, first = 'none', last, step] = /^(\*|\w+)(?:-(\w+))?(?:\/(\d+))?$/.exec(item) ?? [];
    const from = first === '*' ? low : read(first);
    const to = first === '*' || (step && !last) ? high : read(last ?? first);
    const isRange = low <= from && from <= to && to <= high && Number(step ?? 1) > 0;
    if (!isRange) throw new LocalError(`"${text}" is not a field of an NCRONTAB expression.`);
    for (let value = from; value <= to; value += Number(step ?? 1)) values.add(value);
  }
  return values;
}
