import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeSettings } from '../../../src/lib/config/index.ts';
import { redactText } from '../../../src/lib/observability/index.ts';
import { isSecretName } from '../../../src/lib/observability/redact.ts';

describe('redactText', () => {
  it.each([
    [
      'https://account.blob.core.windows.net/c/b?sv=2026&sig=abc%2Fdef%3D&se=2026',
      'https://account.blob.core.windows.net/c/b?sv=2026&sig=[redacted]&se=2026',
    ],
    ['sig=abc%3D&sv=2026', 'sig=[redacted]&sv=2026'],
    [
      'DefaultEndpointsProtocol=https;AccountName=a;AccountKey=YWJj+/==;EndpointSuffix=core.windows.net',
      'DefaultEndpointsProtocol=https;AccountName=a;AccountKey=[redacted];EndpointSuffix=core.windows.net',
    ],
    ['host=db password = hunter2 user=app', 'host=db password = [redacted] user=app'],
    ['postgresql://app:hunter2@db:5432/crownsafe', 'postgresql://app:[redacted]@db:5432/crownsafe'],
    ['postgresql://app:hun@ter2@db:5432/crownsafe', 'postgresql://app:[redacted]@db:5432/crownsafe'],
    ['redis://:hunter2@cache', 'redis://:[redacted]@cache'],
    ['authorization: Bearer abcdefgh.ijkl', 'authorization: Bearer [redacted]'],
    ['SharedKey account:abcdefgh+/=', 'SharedKey [redacted]'],
    ['key csk_0123456789abcdef_abc-DEF_ghi is wrong', 'key csk_0123456789abcdef_[redacted] is wrong'],
    [
      'https://hooks.slack.com/services/T0001/B0002/abcDEF123 said no',
      'https://hooks.slack.com/services/[redacted] said no',
    ],
    ['{"routing_key":"0123456789abcdef","event":1}', '{"routing_key":"[redacted]","event":1}'],
    ['PAGERDUTY_SERVICE_KEY = 0123456789abcdef', 'PAGERDUTY_SERVICE_KEY = [redacted]'],
    ['token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig-nature', 'token [redacted]'],
  ])('takes the secret out of %s', (text, redacted) => {
    expect(redactText(text)).toBe(redacted);
  });

  it.each([
    'the signature of the file',
    'https://example.com/a:b/c@d',
    'signed=yes&design=good',
    'GET /api/v1/files?prefix=sig',
    'Basic English',
    'the password is wrong',
    'the service_key is wrong',
    'https://hooks.slack.com/services',
    '2026-02-03T04:05:06.007Z',
  ])('leaves %s alone', (text) => {
    expect(redactText(text)).toBe(text);
  });

  it('lets no secret through, wherever it stands and whatever it is', () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9]{24}$/);
    const shape = fc.constantFrom(
      (value: string) => `https://a.example/b?se=1&sig=${value}&sp=r`,
      (value: string) => `AccountName=a;AccountKey=${value}==;BlobEndpoint=x`,
      (value: string) => `host=db password=${value}`,
      (value: string) => `postgresql://app:${value}@db/crownsafe`,
      (value: string) => `postgresql://app:${value}:${value}@db/crownsafe`,
      (value: string) => `Bearer ${value}`,
      (value: string) => `csk_0123456789abcdef_${value}`,
      (value: string) => `https://hooks.slack.com/services/T0/B0/${value}`,
      (value: string) => `"routing_key": "${value}"`,
      (value: string) => `eyJhbGciOiJIUzI1NiJ9.${value}.${value}`,
    );
    const around = fc.constantFrom('', ' ', '"', "'", '\n', ' and then ', '; ');

    fc.assert(
      fc.property(fc.array(fc.tuple(around, shape, secret, around), { minLength: 1 }), (parts) => {
        const text = parts
          .map(([before, write, value, after]) => `${before || ' '}${write(value)}${after}`)
          .join('');

        const redacted = redactText(text);

        for (const [, , value] of parts) expect(redacted).not.toContain(value);
      }),
    );
  });

  it('redacts what is redacted to itself', () => {
    const text = 'postgresql://app:hunter2@db?sig=abc&x=Bearer abcdefghij';

    expect(redactText(redactText(text))).toBe(redactText(text));
  });

  it.each([
    'a.',
    'a://:',
    'eyJaaaaaaaa-',
    'Basic ',
    'csk_a_',
    '?sig=',
    'password ',
    'x://y:z',
    'hooks.slack.com/a/',
    'routing_key ',
  ])('is quick for a long text of %j', (part) => {
    const text = part.repeat(131_072 / part.length);

    const startedAt = performance.now();
    redactText(text);

    expect(performance.now() - startedAt).toBeLessThan(3_000);
  });
});

describe('isSecretName', () => {
  it.each([
    'password',
    'Authorization',
    'set-cookie',
    'x-api-key',
    'X-Functions-Key',
    'SECRET_KEY',
    'clientSecret',
    'refresh_token',
    'AZURE_STORAGE_ACCOUNT_KEY',
    'connection_string',
    'PAGERDUTY_SERVICE_KEY',
    'routing_key',
  ])('knows %s', (name) => {
    expect(isSecretName(name)).toBe(true);
  });

  it.each(['name', 'key', 'keyId', 'token_count', 'password_changed_at', 'secretary', ''])(
    'does not take %j for one',
    (name) => {
      expect(isSecretName(name)).toBe(false);
    },
  );
});

describe('a secret setting', () => {
  const values: Record<string, string> = {
    DATABASE_URL: 'postgresql://app:hunter2@db/crownsafe',
    DATABASE_DIRECT_URL: 'postgresql://app:hunter2@db/crownsafe',
    AzureWebJobsStorage: 'AccountName=a;AccountKey=hunter2;EndpointSuffix=core.windows.net',
    SLACK_WEBHOOK_URL: 'https://hooks.slack.com/services/T0001/B0002/hunter2',
  };

  it('is redacted by its name or by the shape of its value', () => {
    const secrets = describeSettings().filter(({ secret }) => secret);

    const shown = secrets.filter(
      ({ name }) => !isSecretName(name) && redactText(values[name] ?? 'hunter2').includes('hunter2'),
    );

    expect(shown.map(({ name }) => name)).toEqual([]);
    expect(secrets.length).toBeGreaterThan(3);
  });
});
