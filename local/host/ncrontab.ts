import { LocalError } from '../local-error.ts';

/** Of second, minute, hour, day, month and weekday. */
const lowest = [0, 0, 0, 1, 1, 0];
const highest = [59, 59, 23, 31, 12, 6];
/** 29 February may meet a given weekday only after forty years (around 2100). */
const searchLimitMs = 41 * 366 * 86_400_000;

/**
 * Reads an NCRONTAB expression of numbers, with or without seconds, in UTC. Day and weekday must both match.
 *
 * @returns what finds the first time after another, in epoch milliseconds
 */
export function parseSchedule(expression: string): (epochMs: number) => number {
  const parts = expression.trim().split(/\s+/);
  const fields = (parts.length === 5 ? ['0', ...parts] : parts).map(parseField);
  const [second, minute, hour, day, month, weekday] = fields;
  if (!second || !minute || !hour || !day || !month || !weekday || fields.length > 6)
    throw new LocalError(`The schedule "${expression}" is not an NCRONTAB expression of numbers.`);
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

/** The values of one field, for example of `1-10/3,15`; `undefined` when it cannot be read. */
function parseField(text: string, index: number): Set<number> | undefined {
  const [low = 0, high = 0] = [lowest[index], highest[index]];
  const values = new Set<number>();
  for (const item of text.split(',')) {
    const [, any, first, last, step] = /^(?:(\*)|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(item) ?? [];
    const from = Number(any ? low : first);
    const to = Number(last ?? (any || step ? high : first));
    if (!(low <= from && from <= to && to <= high) || Number(step) === 0) return undefined;
    for (let value = from; value <= to; value += Number(step ?? 1)) values.add(value);
  }
  return values;
}
