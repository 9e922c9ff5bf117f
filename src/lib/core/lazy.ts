/** A value made at its first use. */
export interface Lazy<T> {
  (): T;
  /** The value if it has been made, so that disposal does not make one. */
  peek(): T | undefined;
}

/**
 * Makes a value once, at its first use. A factory that throws, or a promise that rejects, is forgotten, so that
 * the next use tries again: an outage at the first use must not last for ever.
 */
export function lazy<T>(make: () => T): Lazy<T> {
  let made: { value: T } | undefined;
  const get = () => {
    if (made) return made.value;
    const entry = { value: make() };
    made = entry;
    if (entry.value instanceof Promise) {
      entry.value.catch(() => {
        if (made === entry) made = undefined;
      });
    }
    return entry.value;
  };
  return Object.assign(get, { peek: () => made?.value });
}
