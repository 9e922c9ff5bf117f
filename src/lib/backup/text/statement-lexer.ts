/**
 * Finds the end of one SQL statement, byte by byte, as psql does (src/fe_utils/psqlscan.l): a semicolon ends it only
 * outside quotes, comments, parentheses and the BEGIN ATOMIC … END of a function's body.
 */
export interface StatementLexer {
  /**
   * Reads the next byte; `following` is the one behind it, -1 where the input ends.
   *
   * @returns true when this byte is the semicolon that ends the statement
   */
  step(byte: number, following: number): boolean;
}

type Mode =
  | 'plain'
  | 'string'
  | 'escape-string'
  | 'identifier'
  | 'dollar-string'
  | 'line-comment'
  | 'block-comment';

const newline = 0x0a;
const doubleQuote = 0x22;
const dollar = 0x24;
const quote = 0x27;
const openParenthesis = 0x28;
const closeParenthesis = 0x29;
const asterisk = 0x2a;
const dash = 0x2d;
const slash = 0x2f;
const semicolon = 0x3b;
const backslash = 0x5c;

/** A tag is an identifier (≤ 63 bytes); what is longer is none. */
const maxTagBytes = 64;
/** The longest word that matters here is "procedure". */
const maxWordBytes = 10;

/** Starts at the first byte of a statement. */
export function createStatementLexer(): StatementLexer {
  let mode: Mode = 'plain';
  let skipNext = false;
  let parentheses = 0;
  let commentDepth = 0;
  let word = '';
  const blocks = createBlockCounter();
  /** The delimiter being read or looked for, `$tag$`, and how much of its end has been met. */
  let tag: number[] | undefined;
  let matched = 0;

  const plain = (byte: number, following: number): boolean => {
    if (isWordByte(byte) || (byte === dollar && word !== '')) {
      if (word.length < maxWordBytes) word += String.fromCharCode(byte);
      return false;
    }
    const before = word;
    word = '';
    if (before !== '') blocks.word(before.toLowerCase(), parentheses);
    if (byte === quote) mode = /^e$/i.test(before) ? 'escape-string' : 'string';
    else if (byte === doubleQuote) mode = 'identifier';
    else if (byte === dollar) tag = [dollar];
    else if (byte === dash && following === dash) mode = 'line-comment';
    else if (byte === slash && following === asterisk) openComment();
    else if (byte === openParenthesis) parentheses++;
    else if (byte === closeParenthesis) parentheses = Math.max(0, parentheses - 1);
    else if (byte === semicolon) return parentheses === 0 && blocks.depth() === 0;
    return false;
  };

  const openComment = () => {
    mode = 'block-comment';
    commentDepth++;
    skipNext = true;
  };

  /** Inside what may be the opening `$tag$`; true when the byte belongs to it. */
  const openingTag = (opening: number[], byte: number): boolean => {
    const isDigit = byte >= 0x30 && byte <= 0x39;
    if (byte === dollar) {
      opening.push(byte);
      mode = 'dollar-string';
      matched = 0;
      return true;
    }
    if (isWordByte(byte) && !(isDigit && opening.length === 1) && opening.length < maxTagBytes) {
      opening.push(byte);
      return true;
    }
    tag = undefined;
    return false;
  };

  /** No tag holds a `$` inside, so after a mismatch only that byte itself can begin the delimiter anew. */
  const dollarString = (delimiter: number[], byte: number) => {
    if (byte === delimiter[matched]) matched++;
    else matched = byte === dollar ? 1 : 0;
    if (matched === delimiter.length) {
      mode = 'plain';
      tag = undefined;
    }
  };

  const escapeString = (byte: number, following: number) => {
    if (byte === backslash || (byte === quote && following === quote)) skipNext = true;
    else if (byte === quote) mode = 'plain';
  };

  const blockComment = (byte: number, following: number) => {
    if (byte === slash && following === asterisk) openComment();
    else if (byte === asterisk && following === slash) {
      skipNext = true;
      commentDepth--;
      if (commentDepth === 0) mode = 'plain';
    }
  };

  return {
    step(byte, following) {
      if (skipNext) {
        skipNext = false;
        return false;
      }
      if (mode === 'plain') {
        if (tag && openingTag(tag, byte)) return false;
        return plain(byte, following);
      }
      if (mode === 'dollar-string') dollarString(tag ?? [], byte);
      else if (mode === 'escape-string') escapeString(byte, following);
      else if (mode === 'block-comment') blockComment(byte, following);
      else if (byte === closing[mode]) mode = 'plain';
      return false;
    },
  };
}

/** A doubled quote closes and opens again, which comes to the same. */
const closing = { string: quote, identifier: doubleQuote, 'line-comment': newline } as const;

/** Letters, digits, `_` and every byte of a non-ASCII character. */
function isWordByte(byte: number): boolean {
  return (
    (byte >= 0x61 && byte <= 0x7a) ||
    (byte >= 0x41 && byte <= 0x5a) ||
    (byte >= 0x30 && byte <= 0x39) ||
    byte === 0x5f ||
    byte >= 0x80
  );
}

/** The first words of the statements whose body may be BEGIN ATOMIC … END. */
const routines = /^create (or replace )?(function|procedure)\b/;

/** Counts how deep inside BEGIN … END and CASE … END of a routine's body we are. */
function createBlockCounter() {
  let start = '';
  let words = 0;
  let depth = 0;
  return {
    depth: () => depth,
    word(word: string, parentheses: number) {
      if (words < 4) start += `${word} `;
      words++;
      if (parentheses > 0 || !routines.test(start)) return;
      if (word === 'begin' || (word === 'case' && depth > 0)) depth++;
      else if (word === 'end' && depth > 0) depth--;
    },
  };
}
