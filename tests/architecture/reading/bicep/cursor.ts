/** A place in a text that moves on as tokens are taken. It knows what white space, comments and words are, and nothing of grammar. */
export interface Cursor {
  /** Takes the text if it comes next, on this line unless `anyLine`. A word is taken only whole. */
  take(token: string, anyLine?: 'anyLine'): boolean;
  /** Takes the text or fails. */
  expect(token: string): void;
  /** Takes what matches, if it comes next. */
  match(pattern: RegExp): string | undefined;
  /** Takes the next characters as they are, without skipping anything before them. */
  raw(pattern: RegExp): string | undefined;
  skipBlank(): void;
  isAtEnd(): boolean;
  /** Where a failed attempt begins anew. */
  mark(): number;
  reset(mark: number): void;
  fail(what: string): never;
}

const blankOnLine = /(?:[ \t]|\/\*[\s\S]*?\*\/|\/\/[^\n]*)*/y;
const blank = /(?:\s|\/\*[\s\S]*?\*\/|\/\/[^\n]*)*/y;

export function createCursor(path: string, text: string): Cursor {
  let at = 0;

  const raw = (pattern: RegExp): string | undefined => {
    const sticky = new RegExp(pattern.source, 'y');
    sticky.lastIndex = at;
    const found = sticky.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const skip = (pattern: RegExp) => {
    pattern.lastIndex = at;
    at += pattern.exec(text)?.[0].length ?? 0;
  };
  const isWordCut = (token: string) => /\w$/.test(token) && /\w/.test(text[at + token.length] ?? '');

  const cursor: Cursor = {
    take(token, anyLine) {
      const start = at;
      skip(anyLine ? blank : blankOnLine);
      if (text.startsWith(token, at) && !isWordCut(token)) {
        at += token.length;
        return true;
      }
      at = start;
      return false;
    },
    expect(token) {
      if (!cursor.take(token, 'anyLine')) cursor.fail(`expected ${token}`);
    },
    match(pattern) {
      const start = at;
      skip(blank);
      const found = raw(pattern);
      if (found === undefined) at = start;
      return found;
    },
    raw,
    skipBlank: () => skip(blank),
    isAtEnd() {
      skip(blank);
      return at === text.length;
    },
    mark: () => at,
    reset(mark) {
      at = mark;
    },
    fail(what) {
      const line = text.slice(0, at).split('\n').length;
      throw new Error(`${path}:${line} ${what}, found ${JSON.stringify(text.slice(at, at + 20))}`);
    },
  };
  return cursor;
}
