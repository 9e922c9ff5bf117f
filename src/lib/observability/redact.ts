/** Shapes of secrets, wherever they stand in a text. Each is replaced up to its end, its name stays readable. */
const secretShapes: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  // Signature of a shared access signature, in URLs or alone.
  [/((?:^|[?&;\s"'])sig=)[^&\s"']+/gi, '$1[redacted]'],
  // Storage and other connection strings.
  [/((?:AccountKey|SharedAccessKey|SharedAccessSignature|Password|Pwd)\s*=\s*)[^;\s"']+/gi, '$1[redacted]'],
  // user:password@ in URLs, up to the last @ before the path. Scheme and user are bounded, or a long text takes long.
  [/(\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s:/@"']{0,128}:)[^\s/"']+@/gi, '$1[redacted]@'],
  // Slack's webhooks, whose path is the secret; keys of PagerDuty.
  [/(\bhooks\.slack(?:-gov)?\.com\/\w{1,32}\/)[\w/-]+/gi, '$1[redacted]'],
  [/((?:routing|service)_key["']?\s{0,4}[:=]\s{0,4}["']?)[\w-]+/gi, '$1[redacted]'],
  [/(\b(?:Bearer|Basic|SharedKey)\s+)[A-Za-z0-9+/=._:~-]{8,}/gi, '$1[redacted]'],
  // API keys of this service: the id may be shown, the secret may not.
  [/(\bcsk_[A-Za-z0-9]+_)[A-Za-z0-9_-]+/g, '$1[redacted]'],
  // JSON Web Tokens; not from the middle of one, or a long text takes long.
  [/(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*/g, '[redacted]'],
];

/** Ends of names, written without separators and in lower case. */
const secretNames =
  /(?:password|pwd|secret|secretkey|token|accountkey|apikey|functionskey|servicekey|routingkey|privatekey|otlpheaders|connectionstring|authorization|cookie)$/;

/** Takes secrets out of a text by their shape. */
export function redactText(text: string): string {
  return secretShapes.reduce(
    (redacted, [pattern, replacement]) => redacted.replace(pattern, replacement),
    text,
  );
}

/** True for names of fields whose value must not be shown, whatever its shape. */
export function isSecretName(name: string): boolean {
  return secretNames.test(name.replace(/[^a-z]/gi, '').toLowerCase());
}
