import { inspect } from 'node:util';
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
    [`?code=${'k'.repeat(54)}==&clientId=1`, '?code=[redacted]&clientId=1'],
    ["host=db password='two words' user=app", "host=db password=[redacted]' user=app"],
    ['postgresql://app:sla/sh@db:5432/crownsafe', 'postgresql://app:[redacted]@db:5432/crownsafe'],
    ['postgresql%3A%2F%2Fapp%3Ahunter2%40db%2Fx', 'postgresql%3A%2F%2Fapp%3A[redacted]%40db%2Fx'],
    ['Bearer%20abcdefgh', 'Bearer%20[redacted]'],
    ['cookie: a=1; b=2\r\nhost: x', 'cookie: [redacted]\r\nhost: x'],
    ['{"password":"a\\"b","port":1}', '{"password":"[redacted]","port":1}'],
    [String.raw`{\"token\": \"a\\"b\", \"port\": 1}`, String.raw`{\"token\": \"[redacted]\", \"port\": 1}`],
    ['a -----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY----- b', 'a [redacted] b'],
    ['AGE-SECRET-KEY-1QQPQ and more', '[redacted] and more'],
    [`<Value>${'k'.repeat(43)}=</Value>`, '<Value>[redacted]</Value>'],
    [`${inspect({ user: 'app', password: 'hunter2' })}`, "{ user: 'app', password: '[redacted]' }"],
    [`${inspect({ authorization: 'hunter2', n: 1 })}`, "{ authorization: '[redacted]', n: 1 }"],
    ['{"database.password":"hunter2"}', '{"database.password":"[redacted]"}'],
    ['{"password":["hunter2"]}', '{"password":["[redacted]"]}'],
    ['{"pwd":1234,"user":"app"}', '{"pwd":[redacted]"user":"app"}'],
    ['user: app\npassword: hunter2\nport: 5432', 'user: app\npassword: [redacted]\nport: 5432'],
    ['client_secret: hunter2-hunter2', 'client_secret: [redacted]'],
    ['Authorization: Token hunter2', 'Authorization: Token [redacted]'],
    ['authorization=Bearer abcdefgh', 'authorization=[redacted] [redacted]'],
    ['Basic authenticationX7', 'Basic [redacted]'],
  ])('takes the secret out of %s', (text, redacted) => {
    expect(redactText(text)).toBe(redacted);
  });

  it.each([
    'the signature of the file',
    'https://example.com/a:b/c@d',
    'signed=yes&design=good',
    'GET /api/v1/files?prefix=sig',
    'Basic English',
    'Basic authentication failed',
    'Bearer authentication is required.',
    'the basic functionality works, the bearer credentials do not',
    'invalid signature: bad length',
    'AZURE_STORAGE_ACCOUNT_KEY: is required; DATABASE_PASSWORD: must have at least 8 characters',
    'invalid token: it has expired',
    'Unexpected token: }',
    '"tokens":12',
    'postgresql://app@db:5432/crownsafe',
    'the password is wrong',
    'the service_key is wrong',
    'https://hooks.slack.com/services',
    '2026-02-03T04:05:06.007Z',
  ])('leaves %s alone', (text) => {
    expect(redactText(text)).toBe(text);
  });

  it('redacts what is redacted to itself', () => {
    const text = 'postgresql://app:hunter2@db?sig=abc&x=Bearer abcdefghij';

    expect(redactText(redactText(text))).toBe(redactText(text));
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
    'SECRET_KEY_PREVIOUS',
    'JWT_SECRET_PREVIOUS',
    'clientSecret',
    'refresh_token',
    'AZURE_STORAGE_ACCOUNT_KEY',
    'connection_string',
    'PAGERDUTY_SERVICE_KEY',
    'routing_key',
    'credentials',
    'apiKeys',
    'cookies',
    'ENCRYPTION_KEY',
    'signing_key',
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
