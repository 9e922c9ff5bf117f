/*
 * Secrets are known by their shape, wherever they stand: in a text, in a URL that was encoded once more, in JSON inside of a
 * text. Where a shape is in doubt, too much is taken out, not too little. Each pattern takes time in proportion to the length
 * of the text: what may start anywhere is bounded, and the rest cannot start inside of itself.
 */

/** A percent-encoded character, encoded up to four times; its two digits follow. */
const percent = '%(?:25){0,3}';
/** Where a word may begin: not inside of another, but right behind an escaped character (`\n`, `\u0026`, `%26`). */
const start = String.raw`(?:(?<![A-Za-z0-9_-])|(?<=\\[bfnrt]|\\u[0-9a-f]{4}|${percent}[0-9a-f]{2}))`;
const gap = String.raw`(?:\s|${percent}20)*`;
const equals = String.raw`${gap}(?:=|${percent}3d|\\u003d)${gap}`;
const colon = `${gap}(?:[:=]|${percent}3[ad])${gap}`;
/** A quote, escaped as often as four layers of JSON would. */
const quote = String.raw`(?:\\{0,15}["']|${percent}22)`;
const slash = String.raw`(?:\\?/|${percent}2f)`;
const blank = String.raw`(?:\s|${percent}20|\+|\\[nrt])+`;
/** What the value of a pair begins with when it is quoted, up to the closing quote. */
const quoted = String.raw`\\{0,15}"[^"]*|\\{0,15}'[^']*`;
/** Of base64, base64url and their percent-encoding, also as JSON may escape them. */
const base64 = String.raw`(?:[A-Za-z0-9+/]|\\/|\\u002[bf]|${percent}2[bf])`;
const padding = `(?:=|${percent}3d)`;
const tokenCharacter = String.raw`(?:[A-Za-z0-9+/=._:~%-]|\\/|\\u[0-9a-f]{4})`;
const pem = (edge: string) => `-----${edge}.{0,40}?PRIVATE.{1,9}?KEY.{0,40}?-----`;
/** Scheme and user of a URL, up to the password. */
const login = String.raw`\b[a-z][a-z0-9+.-]{0,30}:(?:\\?/){2}[^\s:/@"']{0,128}:`;
const encodedColon = `${percent}3a`;

/** Ends of names of keys that are secrets, and of passwords: a text that has a colon behind one of these shows one. */
const certainNames =
  'passw(?:or)?ds?|pwd|passphrase|(?:account|access|api|client|encryption|functions?|master|private|routing|secret|service|signing)[-_ ]?keys?(?:_previous)?|connection[-_ ]?strings?';
/** Ends of names whose value is a secret: of fields, of settings, in connection strings and JSON. */
const secretNames = `${certainNames}|(?:secret|token|credential|signature)s?(?:_previous)?|otlp[-_ ]?headers|authorization`;

/** How a sentence goes on that has a name and a colon in front, as "AZURE_STORAGE_ACCOUNT_KEY: is required". */
const sentence = '(?:is|must|has|was|cannot|not|invalid|too) ';

/** What is replaced, but for what its first group holds, in texts that have what it cannot do without. */
interface Shape {
  /** Found in a fraction of the time that the pattern takes; most texts have none of it. */
  readonly needs: RegExp;
  readonly pattern: RegExp;
}

const shape = (needs: RegExp, pattern: string, flags = 'gi'): Shape => ({
  needs,
  pattern: new RegExp(pattern, flags),
});

const secretShapes: readonly Shape[] = [
  // To its end or, where that was cut off, to the end of the text.
  shape(/-----BEGIN/, `()${pem('BEGIN')}[^]*?(?:${pem('END')}|$)`, 'g'),
  // Identities of age.
  shape(/-1/, '()AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]+'),
  // Webhooks of Slack: their path is the secret.
  shape(/slack/i, String.raw`(hooks\.slack(?:-gov)?\.com${slash}\w{1,32}${slash})(?:[\w-]|${slash})+`),
  // Cookies: the rest of the line, for they are many and what separates them separates much else.
  shape(/cookie/i, String.raw`(${start}(?:set-)?cookie2?${quote}?${colon})[^\r\n]+?(?=\\[rn]|[\r\n]|$)`),
  // The header, whatever its scheme.
  shape(/authorization/i, String.raw`(authorization${quote}?${colon}(?:[\w-]{1,30}${blank})?)[^\s"']+`),
  // The signature of a shared access signature.
  shape(/[=%\\]/, String.raw`(${start}sig${equals})(?:${quoted}|[^&\s"'<>]+)`),
  // Function keys in URLs have more than fifty characters; shorter codes are words.
  shape(/[=%\\]/, `(${start}code${equals})${tokenCharacter}{40,}`),
  // Connection strings of storage and databases, settings.
  shape(/[=%\\]/, String.raw`((?:SharedAccessKey|${secretNames})${equals})(?:${quoted}|[^;\s"]+)`),
  // Headers, and keys of PagerDuty.
  shape(
    /key/i,
    String.raw`((?:${start}x-[a-z]{1,20}-key|(?:routing|service)_key)${quote}?${colon}${quote}?)[^\s;"']+`,
  ),
  // In quotes, as JSON and Node.js show values, escaped or not: up to the quote that ends it, not to one inside of it.
  shape(
    /["'%]/,
    String.raw`((?:${secretNames}|cookie|sig)${quote}?${colon}\[?(${quote}))[^]*?(?=(?<!\\|${percent}5c)\2|$)`,
  ),
  // Without quotes a colon belongs to many a sentence ("invalid token: it has expired"), so what may be no name must look like data.
  shape(/[:%]/, String.raw`((?:${certainNames})${quote}?${colon})(?!${quote}|\[|${sentence})[^\s"]+`),
  shape(
    /[:%]/,
    String.raw`((?:secret|token|credential)s?${quote}?${colon})(?!${quote}|\[)(?=[^\s"\d]{0,64}\d)[^\s"]{8,}`,
  ),
  // user:password@ in URLs, up to the last @ before the path.
  shape(/@/, String.raw`(${login})[^\s/"]+(?=@)`),
  // A password with slashes, which is no URL but is tried as one; a port with a path is none.
  shape(/@/, String.raw`(${login})(?!\d{1,5}\\?/|\[redacted\])[^\s"]{1,256}(?=@)`),
  // A whole URL that was percent-encoded.
  shape(
    /%/,
    String.raw`(${encodedColon}(?:${percent}2f){2}(?:(?!${encodedColon})[^\s"]){0,128}${encodedColon})[^\s"]{1,512}(?=${percent}40)`,
  ),
  // Not the words that follow in a sentence, as in "Basic authentication failed".
  shape(
    /bearer|basic|sharedkey/i,
    `((?:Bearer|Basic|SharedKey(?:Lite)?)${blank})(?!(?:authenticat|authori[sz]|credential|functional)[a-z]{0,5}(?!${tokenCharacter}))${tokenCharacter}{8,}`,
  ),
  // API keys of this service: the id may be shown, the secret may not.
  shape(/csk_/, '(csk_[A-Za-z0-9]+_)[A-Za-z0-9_-]+', 'g'),
  // Tokens of GitHub, GitLab, npm, Slack and Google, which say by their first letters what they are.
  shape(
    /gh[oprsu]_|_pat_|glpat-|npm_|xox[a-z]-|AIza/,
    `()${start}(?:gh[oprsu]_|github_pat_|glpat-|npm_|xox[a-z]-|AIza)[A-Za-z0-9_-]{16,}`,
    'g',
  ),
  // JSON Web Tokens, signed (three parts) or encrypted (five).
  shape(/eyJ/, String.raw`()${start}eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){1,3}`, 'g'),
  // 32 or 64 bytes in base64: account keys, user delegation keys, signatures. A SHA-256 looks the same there; ours are in hex.
  shape(/[=%]/, `()${start}(?:${base64}{43}|${base64}{86}${padding})${padding}`),
];

/** Short words without separators: too short for every shape above, and most of what is logged. */
const plainWord = /^\w{0,20}$/;

/** Takes secrets out of a text by their shape. */
export function redactText(text: string): string {
  if (plainWord.test(text)) return text;
  let redacted = text;
  for (const { needs, pattern } of secretShapes)
    if (needs.test(redacted)) redacted = redacted.replace(pattern, '$1[redacted]');
  return redacted;
}

/**
 * Redacts, then cuts. What is cut before the redaction, because nobody should wait for a megabyte, may have been cut in the
 * middle of a secret; so the end of what is left, as long as the longest secret, goes too.
 */
export function redactAndCut(text: string, maxLength: number): string {
  const redacted = redactText(text.slice(0, 2 * maxLength));
  const whole = text.length <= 2 * maxLength ? redacted : redacted.slice(0, -maxLength);
  return whole.slice(0, maxLength);
}

const secretName = new RegExp(`(?:${secretNames}|cookies?|sig)\\d*$`, 'i');

/** True for names of fields whose value must not be shown, whatever its shape. */
export function isSecretName(name: string): boolean {
  return secretName.test(name);
}
