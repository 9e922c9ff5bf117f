/**
 * Remembers what `make` makes of texts, for texts that come again and again. When there are too many, all are forgotten:
 * the few that matter are back at once, and nothing has to be kept in order.
 *
 * @param maxTexts - how many are remembered; texts of any length, so callers bound that
 */
export function memoize<T>(maxTexts: number, make: (text: string) => T): (text: string) => T {
  const made = new Map<string, { readonly value: T }>();
  return (text) => {
    const known = made.get(text);
    if (known) return known.value;
    const value = make(text);
    if (made.size >= maxTexts) made.clear();
    made.set(text, { value });
    return value;
  };
}
