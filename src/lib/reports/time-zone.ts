const dayMs = 86_400_000;

/** True for a name of the IANA time zone database, in any case. Offsets such as `+01:00`, which Intl takes too, are none. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/**
 * The moment at which a day begins somewhere: its midnight; the first of two where clocks are set back over midnight;
 * where they are set forward over it, the moment they are.
 *
 * @param date - `YYYY-MM-DD`
 * @returns milliseconds since the epoch
 */
export function startOfDay(date: string, timeZone: string): number {
  const offsetAt = offsetsOf(timeZone);
  const midnight = Date.parse(date);
  // No offset reaches 16 hours, so a day before and after lie on both sides of a change that concerns this midnight.
  const before = midnight - dayMs;
  const after = midnight + dayMs;
  const midnights = [before, after]
    .map((near) => midnight - offsetAt(near))
    .filter((moment) => moment + offsetAt(moment) === midnight);
  if (midnights.length > 0) return Math.min(...midnights);
  return firstMoment(before, after, (moment) => moment + offsetAt(moment) >= midnight);
}

/** What clocks show there at a moment: `YYYY-MM-DDTHH:mm:ss`. */
export function wallClock(epochMs: number, timeZone: string): string {
  return new Date(epochMs + offsetsOf(timeZone)(epochMs)).toISOString().replace(/\.\d+Z$/, '');
}

/** Answers how far ahead of UTC a time zone is at a moment, both in milliseconds. */
function offsetsOf(timeZone: string): (epochMs: number) => number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  return (epochMs) => {
    // `GMT+05:30`; local mean times of the nineteenth century have seconds.
    const parts = /GMT([+-])(\d\d):(\d\d)(?::(\d\d))?/.exec(format.format(epochMs));
    if (!parts) return 0;
    const [, sign, hours, minutes, seconds = '0'] = parts;
    const size = (Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds)) * 1_000;
    return sign === '-' ? -size : size;
  };
}

/** The first millisecond after `low`, up to `high`, from which on `holds` is true. */
function firstMoment(low: number, high: number, holds: (moment: number) => boolean): number {
  let [no, yes] = [low, high];
  while (yes - no > 1) {
    const middle = Math.floor((no + yes) / 2);
    if (holds(middle)) yes = middle;
    else no = middle;
  }
  return yes;
}
