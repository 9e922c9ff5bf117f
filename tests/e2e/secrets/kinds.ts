import { randomBytes } from 'node:crypto';

/** A secret as somebody writes it down, and the part of it that nobody may see. */
export interface Planted {
  readonly kind: string;
  readonly text: string;
  readonly core: string;
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Letters and digits that stand nowhere else. */
export function randomText(length: number): string {
  return Array.from(randomBytes(length), (byte) => alphabet[byte % alphabet.length]).join('');
}

const hex = (length: number) => randomBytes(length / 2).toString('hex');

/** Secrets of other services and of ours, of the lengths and characters that they really have. */
const shapes: Readonly<Record<string, readonly [core: () => string, text: (core: string) => string]>> = {
  'API key': [() => randomText(43), (core) => `csk_0123456789abcdef_${core}`],
  'JSON Web Token': [() => randomText(43), (core) => `eyJhbGciOiJIUzI1NiJ9.${core}.${core}`],
  'bearer token': [() => randomText(40), (core) => `Bearer ${core}`],
  'basic credentials': [() => randomText(40), (core) => `Basic ${core}`],
  'shared access signature': [
    () => randomText(43),
    (core) => `https://a.blob.core.windows.net/c/b?sv=2026-01-01&sig=${core}%3D&se=2026-02-03`,
  ],
  'presigned URL of S3': [
    () => hex(64),
    (core) =>
      `https://b.s3.amazonaws.com/k?X-Amz-Credential=a%2F20260203%2Fs3&X-Amz-Signature=${core}&X-Amz-Expires=60`,
  ],
  'storage connection string': [
    () => randomText(86),
    (core) =>
      `DefaultEndpointsProtocol=https;AccountName=a;AccountKey=${core}==;EndpointSuffix=core.windows.net`,
  ],
  'storage key': [() => randomText(86), (core) => `${core}==`],
  'address of a database': [
    () => randomText(32),
    (core) => `postgresql://app:${core}@db.internal:5432/crownsafe`,
  ],
  'password of a database': [() => randomText(32), (core) => `host=db password=${core} user=app`],
  'webhook of Slack': [
    () => randomText(24),
    (core) => `https://hooks.slack.com/services/T0001/B0002/${core}`,
  ],
  'token of Slack': [() => randomText(24), (core) => `xoxb-123456789012-123456789012-${core}`],
  'key of PagerDuty': [() => hex(32), (core) => `routing_key=${core}`],
  'key of a function': [() => randomText(54), (core) => `https://a.azurewebsites.net/api/x?code=${core}==`],
  'token in a query': [() => randomText(40), (core) => `https://a.example/b?access_token=${core}&c=d`],
  'session cookie': [() => randomText(40), (core) => `cookie: theme=dark; session=${core}`],
  'password in JSON': [() => randomText(24), (core) => `{"user":"anna","password":"${core}"}`],
  'secret of a client': [() => randomText(40), (core) => `client_id=a&client_secret=${core}`],
  'age identity': [() => randomText(58).toUpperCase(), (core) => `AGE-SECRET-KEY-1${core}`],
  'private key': [
    () => randomText(120),
    (core) => `-----BEGIN PRIVATE KEY-----\\n${core}\\n-----END PRIVATE KEY-----`,
  ],
  'token of GitHub': [() => randomText(36), (core) => `ghp_${core}`],
  'fine-grained token of GitHub': [
    () => randomText(59),
    (core) => `github_pat_0123456789abcdefABCDEF_${core}`,
  ],
  'secret key of AWS': [() => randomText(40), (core) => `aws_secret_access_key=${core}`],
  'key of Google': [() => randomText(35), (core) => `AIza${core}`],
  'token of npm': [() => randomText(36), (core) => `npm_${core}`],
  'headers of a collector': [
    () => randomText(40),
    (core) => `OTEL_EXPORTER_OTLP_HEADERS=x-collector-key=${core}`,
  ],
};

/** One of each kind, new at every call. */
export function plantedKinds(): Planted[] {
  return Object.entries(shapes).map(([kind, [makeCore, write]]) => {
    const core = makeCore();
    return { kind, text: write(core), core };
  });
}
