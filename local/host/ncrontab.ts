import { LocalError } from '../local-error.ts';

const months = ['', 'jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
/** 29 February may meet a given weekday only after forty years (around 2100). */
const searchLimitMs = 41 * 366 * 86_400_000;

/** The first time after `epochMs` that a schedule names, in epoch milliseconds. */
export type Schedule = (epochMs: number) => number;

/**
 * Reads an NCRONTAB expression: five fields, or six with seconds first, in UTC. Day and weekday must both match.
 *
 * @throws {@link LocalError} when the expression is none; the schedule throws it when its time never comes
 */
export function parseSchedule(expression: string): Schedule {
  const parts = expression.trim().split(/\s+/);
  const [s = '', m = '', h = '', d = '', mo = '', w = ''] = parts.length === 5 ? ['0', ...parts] : parts;
  const second = parseField(s, 0, 59);
  const minute = parseField(m, 0, 59);
  const hour = parseField(h, 0, 23);
  const day = parseField(d, 1, 31);
  const month = parseField(mo, 1, 12, months);
  const weekday = parseField(w, 0, 6, weekdays);
  if (parts.length > 6 || ![second, minute, hour, day, month, weekday].every((values) => values.size > 0))
    throw new LocalError(`The schedule "${expression}" is not an NCRONTAB expression.`);

  return (epochMs) => {
    const at = new Date(Math.floor(epochMs / 1000) * 1000 + 1000);
    while (at.getTime() - epochMs < searchLimitMs) {
      const [year, monthIndex, date] = [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()];
      if (!month.has(monthIndex + 1)) at.setTime(Date.UTC(year, monthIndex + 1));
      else if (!day.has(date) || !weekday.has(at.getUTCDay())) at.setUTCHours(24, 0, 0);
      else if (!hour.has(at.getUTCHours())) at.setUTCMinutes(60, 0);
      else if (!minute.has(at.getUTCMinutes())) at.setUTCSeconds(60);
      else if (!second.has(at.getUTCSeconds())) at.setUTCSeconds(at.getUTCSeconds() + 1);
      else return at.getTime();
    }
    throw new LocalError(`The schedule "${expression}" names a time that never comes.`);
  };
}

/** The values of one field, for example of `1-10/3,15`; none when it cannot be read. */
function parseField(text: string, low: number, high: number, names: readonly string[] = []): Set<number> {
  const values = new Set<number>();
  const read = (word: string) => {
    const named = names.indexOf(word.slice(0, 3).toLowerCase());
    return named >= 0 ? named : Number(word);
  };
  for (const item of text.split(',')) {
    const [, first = '', last, step] = /^(\*|\w+)(?:-(\w+))?(?:\/(\d+))?$/.exec(item) ?? [];
    const from = first === '*' ? low : read(first);
    const to = first === '*' || (step && !last) ? high : read(last ?? first);
    if (!first || !(from >= low && from <= to && to <= high) || Number(step) === 0) return new Set();
    for (let value = from; value <= to; value += Number(step ?? 1)) values.add(value);
  }
  return values;
}
