/**
 * The parts of SQL in which a value can stand, and those in which something that looks like one is none. In this order: a
 * text with escapes, a text, a text between dollars, a name in quotes, comments, a parameter, a word, a number.
 */
const parts =
  /[eE]'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)|'(?:[^']|'')*(?:'|$)|(\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)[\s\S]*?(?:\1|$)|"(?:[^"]|"")*(?:"|$)|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|\$\d+|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|\d[\w.]*/g;

/** A statement is told apart by its beginning; what follows is mostly a list of columns. */
const maxLength = 1_024;

/**
 * A statement without values, for traces: literals become `?`, whoever wrote them in, and parameters were never in it.
 * Comments go, too. Names stay: they are ours.
 */
export function queryText(sql: string): string {
  const bare = sql.slice(0, 4 * maxLength).replace(parts, (part) => {
    if (/^(?:--|\/\*)/.test(part)) return ' ';
    return /^(?:\d|[eE]?'|\$\D)/.test(part) ? '?' : part;
  });
  return bare.replace(/\s+/g, ' ').trim().slice(0, maxLength);
}

/** What a statement does and to which table first, as `SELECT files`; few different ones, because statements are ours. */
export function querySummary(text: string): { readonly operation: string; readonly table?: string } {
  const operation = /^\w+/.exec(text)?.[0].toUpperCase() ?? 'QUERY';
  const table = /\b(?:from|into|update)\s+"?(\w+)"?/i.exec(text)?.[1];
  return { operation, ...(table !== undefined && { table }) };
}
