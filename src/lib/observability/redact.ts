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

/** Ends of names whose value is a secret: of fields, of settings, in connection strings and JSON. */
const secretNames =
  'passw(?:or)?d|pwd|passphrase|secret|token|credential|(?:account|access|api|functions?|private|routing|secret|service)[-_ ]?key|connection[-_ ]?string|otlp[-_ ]?headers|authorization|signature';

/** Each match is replaced; what the first group holds stays readable. */
const secretShapes: readonly (readonly [pattern: string, flags: string])[] = [
  // To its end or, where that was cut off, to the end of the text.
  [`()${pem('BEGIN')}[^]*?(?:${pem('END')}|$)`, 'g'],
  // Identities of age.
  ['()AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]+', 'gi'],
  // Webhooks of Slack: their path is the secret.
  [String.raw`(hooks\.slack(?:-gov)?\.com${slash}\w{1,32}${slash})(?:[\w-]|${slash})+`, 'gi'],
  // Cookies: the rest of the line, for they are many and what separates them separates much else.
  [String.raw`(${start}(?:set-)?cookie2?${quote}?${colon})[^\r\n]+?(?=\\[rn]|[\r\n]|$)`, 'gi'],
  // The signature of a shared access signature.
  [String.raw`(${start}sig${equals})(?:${quoted}|[^&\s"'<>]+)`, 'gi'],
  // Function keys in URLs have more than fifty characters; shorter codes are words.
  [`(${start}code${equals})${tokenCharacter}{40,}`, 'gi'],
  // Connection strings of storage and databases, settings.
  [String.raw`((?:SharedAccessKey|${secretNames})${equals})(?:${quoted}|[^;\s"]+)`, 'gi'],
  // Headers, and keys of PagerDuty.
  [
    String.raw`((?:${start}x-[a-z]{1,20}-key|(?:routing|service)_key)${quote}?${colon}${quote}?)[^;\s"']+`,
    'gi',
  ],
  // JSON in a text, itself escaped or not: up to the quote that ends the value, not to one inside of it.
  [
    String.raw`((?:["']|${percent}22)[\w-]{0,40}?(?:${secretNames}|sig)${quote}${colon}(${quote}))[^]*?(?=(?<!\\|${percent}5c)\2|$)`,
    'gi',
  ],
  // user:password@ in URLs, up to the last @ before the path.
  [String.raw`(${login})[^\s/"]+(?=@)`, 'gi'],
  // A password with slashes, which is no URL but is tried as one; a port with a path is none.
  [String.raw`(${login})(?!\d{1,5}\\?/|\[redacted\])[^\s"]{1,256}(?=@)`, 'gi'],
  // A whole URL that was percent-encoded.
  [
    String.raw`(${encodedColon}(?:${percent}2f){2}(?:(?!${encodedColon})[^\s"]){0,128}${encodedColon})[^\s"]{1,512}(?=${percent}40)`,
    'gi',
  ],
  [`((?:Bearer|Basic|SharedKey(?:Lite)?)${blank})${tokenCharacter}{8,}`, 'gi'],
  // API keys of this service: the id may be shown, the secret may not.
  ['(csk_[A-Za-z0-9]+_)[A-Za-z0-9_-]+', 'g'],
  // JSON Web Tokens, signed (three parts) or encrypted (five).
  [String.raw`()${start}eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){1,3}`, 'g'],
  // 32 or 64 bytes in base64: account keys, user delegation keys, signatures. A SHA-256 looks the same there; ours are in hex.
  [`()${start}(?:${base64}{43}|${base64}{86}${padding})${padding}`, 'gi'],
];

const patterns = secretShapes.map(([pattern, flags]) => new RegExp(pattern, flags));

/** Short words without separators: too short for every shape above, and most of what is logged. */
const plainWord = /^\w{0,20}$/;

/** Takes secrets out of a text by their shape. */
export function redactText(text: string): string {
  if (plainWord.test(text)) return text;
  return patterns.reduce((redacted, pattern) => redacted.replace(pattern, '$1[redacted]'), text);
}

const secretName = new RegExp(`(?:${secretNames}|cookie|sig)\\d*$`, 'i');

/** True for names of fields whose value must not be shown, whatever its shape. */
export function isSecretName(name: string): boolean {
  return secretName.test(name);
}
