import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createLogger,
  redactText,
  runInContext,
  writeKeptLines,
} from '../../../src/lib/observability/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';

/** Every shape in which a secret may be written down, around 43 characters that nobody may see. */
const shapes: Readonly<Record<string, (secret: string) => string>> = {
  'SAS URL': (secret) => `https://a.blob.core.windows.net/c/b?sv=2026&sig=${secret}%3D&se=2026`,
  'SAS token': (secret) => `sig=${secret}%3D&sv=2026`,
  'account key': (secret) => `AccountName=a;AccountKey=ab+/${secret}==;EndpointSuffix=core.windows.net`,
  'shared access key': (secret) =>
    `Endpoint=sb://a.example/;SharedAccessKeyName=a;SharedAccessKey=${secret}=`,
  'connection string with SAS': (secret) => `BlobEndpoint=x;SharedAccessSignature=sv=1&sig=${secret}`,
  'libpq password': (secret) => `host=db password=${secret} user=app`,
  'quoted password': (secret) => `host=db password='${secret} & more' user=app`,
  'ADO password': (secret) => `Server=db;Password="${secret}";User Id=app`,
  'postgres URL': (secret) => `postgresql://app:${secret}@db:5432/crownsafe?sslmode=require`,
  'postgres URL with @': (secret) => `postgres://app:a@${secret}@db/crownsafe`,
  'postgres URL with a slash': (secret) => `postgresql://app:a/${secret}@db/crownsafe`,
  'postgres URL with a quote': (secret) => `postgresql://app:it's${secret}@db/crownsafe`,
  'URL without user': (secret) => `redis://:${secret}@cache:6380`,
  bearer: (secret) => `authorization: Bearer ${secret}`,
  basic: (secret) => `Basic ${secret}=`,
  'shared key': (secret) => `SharedKey account:${secret}=`,
  'shared key lite': (secret) => `SharedKeyLite account:${secret}=`,
  'API key': (secret) => `csk_0123456789abcdef_${secret}`,
  'signed token': (secret) => `eyJhbGciOiJIUzI1NiJ9.${secret}.${secret}`,
  'encrypted token': (secret) => `eyJhbGciOiJkaXIifQ.${secret}.${secret}.${secret}.${secret}`,
  'private key': (secret) => `-----BEGIN PRIVATE KEY-----\nMIIE${secret}\nabc\n-----END PRIVATE KEY-----`,
  'RSA private key': (secret) =>
    `-----BEGIN RSA PRIVATE KEY-----\r\n${secret}\r\n-----END RSA PRIVATE KEY-----`,
  'private key that is cut': (secret) => `-----BEGIN EC PRIVATE KEY-----\n${secret}`,
  'age identity': (secret) => `AGE-SECRET-KEY-1${secret.toUpperCase()}`,
  'age identity in lower case': (secret) => `age-secret-key-1${secret.toLowerCase()}`,
  'function key': (secret) => `https://a.azurewebsites.net/api/x?code=${secret}AzFuabcdefg==&y=1`,
  'function key header': (secret) => `x-functions-key: ${secret}`,
  cookie: (secret) => `cookie: theme=dark; session=${secret}`,
  'set-cookie': (secret) => `Set-Cookie: session=${secret}; Path=/; HttpOnly`,
  'user delegation key': (secret) => `<Value>${secret}=</Value>`,
  'account key alone': (secret) => `${secret}${secret}==`,
  'Slack webhook': (secret) => `https://hooks.slack.com/services/T0/B0/${secret}`,
  'PagerDuty key': (secret) => `"routing_key": "${secret}"`,
  'PagerDuty setting': (secret) => `PAGERDUTY_SERVICE_KEY: ${secret}`,
  'JSON password': (secret) => JSON.stringify({ user: 'app', password: `${secret}"${secret}`, port: 5432 }),
  'password as Node.js shows it': (secret) => `{ user: 'app', password: '${secret}', port: 5432 }`,
  'password in YAML': (secret) => `user: app\npassword: ${secret}\nport: 5432`,
  'token in YAML': (secret) => `token: 0${secret}`,
  'header of another scheme': (secret) => `Authorization: Token ${secret}`,
  'JSON password of a setting': (secret) => `{"database.password": "${secret}"}`,
  'token of GitHub': (secret) => `ghp_${secret}`,
  'fine-grained token of GitHub': (secret) => `github_pat_0123456789abcdefABCDEF_${secret}`,
  'token of GitLab': (secret) => `glpat-${secret}`,
  'token of npm': (secret) => `npm_${secret}`,
  'token of Slack': (secret) => `xoxb-123456789012-123456789012-${secret}`,
  'key of Google': (secret) => `AIza${secret}`,
  'JSON token': (secret) => `{"access_token": "${secret}"}`,
};

const secrets = fc.stringMatching(/^[A-Za-z0-9]{43}$/);
const edges = fc.constantFrom(
  '',
  ' ',
  '"',
  "'",
  '\n',
  '(',
  '>',
  ', ',
  '; ',
  'url: ',
  'x=1&',
  '\\n',
  '\\u0026',
);

/** What may have been done to a text before it is logged. */
const codings: Readonly<Record<string, (text: string) => string>> = {
  plain: (text) => text,
  'percent-encoded': encodeURIComponent,
  'percent-encoded twice': (text) => encodeURIComponent(encodeURIComponent(text)),
  'as JSON': (text) => JSON.stringify(text),
  'as JSON in JSON': (text) => JSON.stringify({ body: JSON.stringify({ text }) }),
};

function failing(text: string): Error {
  return new Error(text);
}

/** Where it may stand in what is logged. */
const places: Readonly<Record<string, (text: string) => unknown>> = {
  field: (text) => text,
  nested: (text) => ({ a: [{ b: text }] }),
  'name of a field': (text) => ({ [text]: 1 }),
  'key of a map': (text) => new Map([[text, 1]]),
  'value of a map': (text) => new Map([[{ a: 1 }, text]]),
  set: (text) => new Set([text]),
  symbol: (text) => Symbol(text),
  'message of an error': failing,
  'cause of an error': (text) => new Error('outer', { cause: new Error('middle', { cause: text }) }),
  'error of an aggregate': (text) => new AggregateError([failing(text)], 'several'),
  'code of an error': (text) => Object.assign(new Error('coded'), { code: text }),
  'name of an error': (text) => Object.assign(new Error('named'), { name: text }),
  'stack of an error': (text) =>
    Object.assign(new Error('with a stack'), { stack: `Error: ${text}\n    at x.ts:1:1` }),
};

/** Writes lines in every way there is: by level, message and fields, at once and kept. */
function linesOf(message: string, value: unknown): string {
  const lines: string[] = [];
  const logger = createLogger({ clock: fakeClock(), level: 'info', write: (line) => lines.push(line) });
  const context = { correlationId: 'correlation-1', functionName: 'f', requestId: 'r', write: undefined };
  runInContext(context, () => {
    logger.info(message, { value, error: value });
    logger.debug(message, { value });
    logger.debug(message);
    if (typeof value === 'string') logger.debug('short', { value: value.slice(0, 256) });
    writeKeptLines();
  });
  return lines.join('\n');
}

/** A part that long is no accident. */
const tellingLength = 8;

function leakOf(line: string, secret: string): string | undefined {
  const lower = line.toLowerCase();
  for (let at = 0; at + tellingLength <= secret.length; at++) {
    const part = secret.slice(at, at + tellingLength).toLowerCase();
    if (lower.includes(part)) return part;
  }
  return undefined;
}

describe.each(Object.entries(shapes))('a secret in the shape of %s', (_, write) => {
  it.each(Object.entries(codings))('never shows in a line, %s', (_name, code) => {
    fc.assert(
      fc.property(
        secrets,
        edges,
        edges,
        fc.constantFrom(...Object.values(places)),
        (secret, before, after, place) => {
          const text = `${before}${code(write(secret))}${after}`;

          expect(leakOf(linesOf('a message', place(text)), secret)).toBeUndefined();
          expect(leakOf(linesOf(text, 1), secret)).toBeUndefined();
          expect(leakOf(redactText(text), secret)).toBeUndefined();
        },
      ),
      { numRuns: 12 },
    );
  });

  it('never shows where a text is cut, also behind others that leave room when they are taken out', () => {
    const cuts = fc.constantFrom(8_192, 16_384);
    const fillers = fc.constantFrom(
      (size: number) => 'x'.repeat(size),
      (size: number) => 'word '.repeat(size / 5),
      (size: number) => `sig=${'a'.repeat(Math.max(0, size - 5))}`,
      (size: number) => 'password=hunter2-hunter2-hunter2 '.repeat(size / 33),
    );

    fc.assert(
      fc.property(secrets, cuts, fc.nat(200), fillers, (secret, cut, back, fill) => {
        const text = `${fill(cut - back)} ${write(secret)} and more`.padEnd(40_000, ' end');

        expect(leakOf(linesOf('a message', { text }), secret)).toBeUndefined();
      }),
      { numRuns: 15 },
    );
  });
});

describe('an innocent text', () => {
  const words = fc.oneof(
    fc.uuid(),
    fc.stringMatching(/^[0-9a-f]{64}$/),
    fc.stringMatching(/^[a-z]{1,12}$/),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    fc.integer().map(String),
    fc.constantFrom(
      'GET',
      '/api/v1/files/{id}/content',
      '/api/v1/files?prefix=sig&sort=-created_at',
      'https://crownfiles.blob.core.windows.net/crownsafe-images/2026/02/a.jpg',
      'http://127.0.0.1:7071/@x',
      'postgresql://app@db:5432/crownsafe',
      'crownsafe_backup_full_20260203_040506.sql.gz',
      'duplicate key value violates unique constraint "files_pkey"',
      'Key (id)=(7) already exists.',
      'signed=yes&design=good&code=not_found',
      'code=unsupported_media_type',
      'sha256-47DEQpj8HBSa',
      'at async upload (file:///app/index.js:12:34)',
      'node_modules/@azure/storage-blob/dist/index.js:1:2',
      'the password is wrong',
      'a token was renewed',
      'ECONNREFUSED 127.0.0.1:5432',
      'image/png; charset=utf-8',
      'operator@example.com',
      'SQLSTATE 42P01',
      'secretary and cookies',
      'npm_config_registry',
      '"name": "value"',
      'key:0123456789abcdef',
    ),
  );

  it('stays as it is', () => {
    fc.assert(
      fc.property(fc.array(words, { minLength: 1, maxLength: 12 }), (parts) => {
        const text = parts.join(' ');

        expect(redactText(text)).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  it('stays as it is in JSON', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}_at$/), words), (value) => {
        const text = JSON.stringify(value);

        expect(redactText(text)).toBe(text);
      }),
    );
  });
});

describe('the time that redaction takes', () => {
  /** The best of a few tries: noise only ever adds. */
  function millisecondsFor(text: string): number {
    const tries = Array.from({ length: 3 }, () => {
      const startedAt = performance.now();
      redactText(text);
      return performance.now() - startedAt;
    });
    return Math.min(...tries);
  }

  it.each([
    'a.',
    'a://:',
    'a://b:',
    'x://y:z',
    'x://y:/',
    'a%3A%2F%2Fb%3A',
    'a%3A%2F%2F',
    '%25',
    '%2525',
    'eyJaaaaaaaa-',
    'eyJaaaaaaaa.',
    '.eyJaaaaaaaa',
    'Basic ',
    'Bearer+',
    'Bearer%20',
    'SharedKey',
    'csk_a_',
    'csk_a',
    '?sig=',
    'sig= ',
    'code=a',
    'password ',
    'password=',
    "password='",
    'password="',
    'password=\\',
    '"password":"',
    '"password":\\',
    '"a-',
    "'",
    '\\',
    '\\"',
    'authorization ',
    'authorization: ',
    'authorization: a ',
    'authorization: a+',
    'password: ',
    'password:[',
    "password: '",
    'token: a',
    'token:',
    'Basic authenticat',
    'Basic authentication',
    'cookie',
    'cookie:',
    'cookie=\\',
    'x-api-key:',
    'x-a',
    '-----BEGIN ',
    '-----BEGIN PRIVATE KEY-----',
    '-----BEGIN PRIVATE KEY-----\n-----END ',
    '-----END PRIVATE KEY',
    'AGE-SECRET-KEY-1',
    'hooks.slack.com/a/',
    'npm_',
    'ghp_aaaaaaaaaaaaaaaa ',
    'xoxb-',
    'AIza',
    'routing_key ',
    'A',
    'A/',
    '%2f',
    '\\u002f',
    ' ',
    '\t:',
    '=',
  ])('grows with the length of a text of %j, and no faster', (part) => {
    const size = 32_768;
    const [short, long] = [size, 4 * size].map((length) => part.repeat(length / part.length));

    // Four times the text: 4 is in proportion, 16 its square, which takes seconds; the rest is for a busy machine.
    expect(millisecondsFor(long ?? '')).toBeLessThan(10 * millisecondsFor(short ?? '') + 200);
  });

  it('is bounded for a line, however long what is logged', () => {
    const text = 'password=a&sig=b '.repeat(2 ** 20 / 17);

    const line = linesOf(text, { text, list: Array(1_000).fill(text) });

    expect(line.length).toBeLessThan(1_000_000);
  });
});
