import { describe, expect, it } from 'vitest';
import { createKeyring, createSecrets, type SecretPlace } from '../../../src/lib/security/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';

const minuteMs = 60_000;
const { signal } = new AbortController();
const outage = new Error('nobody there');

type Name = 'SECRET_KEY' | 'JWT_SECRET';

interface Version {
  readonly id: string;
  readonly createdAt: number;
  /** Left out: never since it was made. */
  readonly changedAt?: number;
  readonly value: string;
}

/** A vault in memory, which tells what it was asked. */
function memoryVault(versions: Partial<Record<string, readonly Version[]>>) {
  const vault = {
    versions,
    asked: [] as string[],
    /** What happens before it answers. */
    before: async (): Promise<void> => {},
    async enabledVersions(name: string) {
      vault.asked.push(name);
      await vault.before();
      const all = vault.versions[name] ?? [];
      return all
        .toSorted((a, b) => b.createdAt - a.createdAt)
        .map((version) => ({ changedAt: version.createdAt, ...version }));
    },
    async read(name: string, id: string) {
      vault.asked.push(`${name}/${id}`);
      await vault.before();
      return vault.versions[name]?.find((version) => version.id === id)?.value ?? '';
    },
  };
  return vault;
}

const place = (setting: string, changes: Partial<SecretPlace> = {}): SecretPlace => ({
  setting,
  nameInVault: setting.toLowerCase().replaceAll('_', '-'),
  given: undefined,
  optional: false,
  faultOf: (value) => (value.length < 3 ? 'is too short' : undefined),
  ...changes,
});

const old = { createdAt: 0 };

function setUp(changes: { secretKey?: Partial<SecretPlace>; jwtSecret?: Partial<SecretPlace> } = {}) {
  const clock = fakeClock();
  const vault = memoryVault({ 'secret-key': [{ id: 'v1', value: 'first', ...old }] });
  const failures: string[] = [];
  const secrets = createSecrets<Name>({
    clock,
    vault,
    places: {
      SECRET_KEY: place('SECRET_KEY', changes.secretKey),
      JWT_SECRET: place('JWT_SECRET', { optional: true, ...changes.jwtSecret }),
    },
    onReading: () => {},
    onFailure: (setting, error) => failures.push(`${setting}: ${(error as Error).message}`),
  });
  /** What a request does: it waits for the secrets, and in the background they may be read again. */
  const request = async () => {
    await secrets.ready(signal);
    await clock.advance(0);
  };
  const refusalOf = () =>
    secrets.ready(signal).then(
      () => undefined,
      (error: unknown) => error,
    );
  return { clock, vault, secrets, failures, request, refusalOf };
}

describe('secrets of the settings', () => {
  it('are there at once, and stay', async () => {
    const secrets = createSecrets<Name>({
      clock: fakeClock(),
      places: {
        SECRET_KEY: place('SECRET_KEY', { given: { current: 'new', previous: 'old' } }),
        JWT_SECRET: place('JWT_SECRET', { optional: true }),
      },
      onReading: () => {},
      onFailure: () => {},
    });

    await secrets.ready(signal);

    expect(secrets.get('SECRET_KEY')).toEqual({ current: 'new', previous: 'old' });
    expect(secrets.newest('SECRET_KEY')).toBe('new');
    expect(secrets.get('JWT_SECRET')).toBeUndefined();
  });
});

describe('secrets of a vault', () => {
  it('are read once, however many wait for them', async () => {
    const { secrets, vault } = setUp();

    await Promise.all([secrets.ready(signal), secrets.ready(signal), secrets.ready(signal)]);
    await secrets.ready(signal);

    expect(secrets.get('SECRET_KEY')).toEqual({ current: 'first' });
    expect(vault.asked.toSorted()).toEqual(['jwt-secret', 'secret-key', 'secret-key/v1']);
  });

  it('are not there before they have been read', () => {
    const { secrets } = setUp();

    expect(() => secrets.get('SECRET_KEY')).toThrow(expect.objectContaining({ code: 'unavailable' }));
  });

  it('are read again in the background in the fifth minute, without reading a version twice', async () => {
    const { clock, secrets, vault, request } = setUp();
    await request();
    await clock.advance(3.9 * minuteMs);
    await request();
    const before = vault.asked.length;
    vault.versions['secret-key'] = [
      ...(vault.versions['secret-key'] ?? []),
      { id: 'v2', value: 'second', ...old, createdAt: 1 },
    ];
    await clock.advance(0.2 * minuteMs);
    const ready = secrets.ready(signal);
    const atOnce = secrets.get('SECRET_KEY');
    await ready;
    await clock.advance(0);

    expect(before).toBe(3);
    expect(vault.asked.slice(before).toSorted()).toEqual(['jwt-secret', 'secret-key', 'secret-key/v2']);
    expect(atOnce).toEqual({ current: 'first' });
    expect(secrets.get('SECRET_KEY')).toEqual({ current: 'second', previous: 'first' });
  });

  it('are waited for by an instance that was idle for longer than they live', async () => {
    const { clock, secrets, vault, request } = setUp();
    await request();
    vault.versions['secret-key'] = [{ id: 'v2', value: 'second', ...old }];
    await clock.advance(60 * minuteMs);

    await secrets.ready(signal);

    expect(secrets.get('SECRET_KEY')).toEqual({ current: 'second' });
  });

  it('stay when the vault does not answer, which is asked every 30 s and told each time', async () => {
    const { clock, secrets, vault, failures, request } = setUp();
    await request();
    vault.before = () => Promise.reject(outage);
    await clock.advance(60 * minuteMs);
    for (let times = 0; times < 10; times += 1) await request();
    const askedAtFirst = vault.asked.length - 3;
    await clock.advance(31_000);
    await request();
    const failed = failures.length;
    vault.before = async () => {};
    await clock.advance(31_000);
    await request();

    expect(secrets.get('SECRET_KEY')).toEqual({ current: 'first' });
    expect(askedAtFirst).toBe(2);
    expect(failed).toBe(4);
    expect(failures[0]).toBe('SECRET_KEY: nobody there');
    expect(failures).toHaveLength(failed);
  });

  it('hold nobody up after a failure: the vault is asked in the background', async () => {
    const { clock, secrets, vault, request } = setUp();
    await request();
    vault.before = () => Promise.reject(outage);
    await clock.advance(60 * minuteMs);
    await request();
    vault.before = () => new Promise(() => {});
    await clock.advance(31_000);

    await secrets.ready(signal);

    expect(secrets.get('SECRET_KEY')).toEqual({ current: 'first' });
  });

  it('that were never read make 503, and the vault is asked every 5 s', async () => {
    const { clock, vault, failures, refusalOf } = setUp();
    vault.before = () => Promise.reject(outage);
    const first = await refusalOf();
    const second = await refusalOf();
    const asked = vault.asked.length;
    vault.before = async () => {};
    await clock.advance(5_001);
    const third = await refusalOf();

    expect(first).toMatchObject({ code: 'unavailable', status: 503, cause: outage });
    expect(second).toMatchObject({ code: 'unavailable' });
    expect(asked).toBe(2);
    expect(failures).toHaveLength(2);
    expect(third).toBeUndefined();
  });

  it('are waited for no longer than 15 s, and by nobody longer than he wants to', async () => {
    const { clock, vault, secrets, failures } = setUp();
    vault.before = () => new Promise(() => {});
    const impatient = new AbortController();
    const leaving = secrets.ready(impatient.signal);
    const staying = secrets.ready(signal);
    impatient.abort(new Error('gone'));

    await expect(leaving).rejects.toThrow('gone');
    const over = expect(staying).rejects.toMatchObject({ code: 'unavailable' });
    await clock.advance(15_001);
    await over;
    expect(failures).toHaveLength(2);
    expect(clock.timers).toBe(0);
  });
});

describe('a version that was added', () => {
  const second = (clock: { now(): number }) => ({ id: 'v2', value: 'second', createdAt: clock.now() });

  it('is accepted at once, and signs after ten minutes, when every instance has it', async () => {
    const { clock, secrets, vault, request } = setUp();
    vault.versions['secret-key'] = [{ id: 'v1', value: 'first', ...old }, second(clock)];
    await request();
    const atFirst = secrets.get('SECRET_KEY');
    await clock.advance(10 * minuteMs);
    const later = secrets.get('SECRET_KEY');

    expect(atFirst).toEqual({ current: 'first', previous: 'second' });
    expect(later).toEqual({ current: 'second', previous: 'first' });
    expect(secrets.newest('SECRET_KEY')).toBe('second');
  });

  it('signs ten minutes after it was enabled, when it was made before that', async () => {
    const { clock, secrets, vault, request } = setUp();
    await clock.advance(60 * minuteMs);
    vault.versions['secret-key'] = [
      { id: 'v1', value: 'first', ...old },
      { ...second(clock), createdAt: 1, changedAt: clock.now() },
    ];
    await request();
    const atFirst = secrets.get('SECRET_KEY');
    await clock.advance(10 * minuteMs);

    expect(atFirst).toEqual({ current: 'first', previous: 'second' });
    expect(secrets.get('SECRET_KEY')).toEqual({ current: 'second', previous: 'first' });
  });

  it('signs at once where it is the only one, as after the loss of the one before it', async () => {
    const { clock, secrets, vault, request } = setUp();
    vault.versions['secret-key'] = [second(clock)];
    await request();

    expect(secrets.get('SECRET_KEY')).toEqual({ current: 'second' });
  });

  it('is understood by every instance at every moment, though each reads the vault at another time', async () => {
    const clock = fakeClock();
    const vault = memoryVault({ 'secret-key': [{ id: 'v1', value: 'first', ...old }] });
    const instance = () => {
      const secrets = createSecrets<'SECRET_KEY'>({
        clock,
        vault,
        places: { SECRET_KEY: place('SECRET_KEY') },
        onReading: () => {},
        onFailure: () => {},
      });
      return { secrets, keyring: createKeyring(() => secrets.get('SECRET_KEY') ?? { current: '' }) };
    };
    const instances = [instance(), instance(), instance()];
    const refused: string[] = [];
    const signedBy = new Set<string>();
    for (let halfMinute = 0; halfMinute < 80; halfMinute += 1) {
      if (halfMinute === 20)
        vault.versions['secret-key'] = [{ id: 'v1', value: 'first', ...old }, second(clock)];
      // Started a minute and a half one after the other, so that each reads the vault at its own times.
      const running = instances.slice(0, 1 + Math.floor(halfMinute / 3));
      for (const { secrets } of running) await secrets.ready(signal);
      await clock.advance(0);
      for (const from of running)
        for (const to of running) {
          signedBy.add(from.secrets.get('SECRET_KEY')?.current ?? '');
          if (!to.keyring.matches('cursors', 'text', from.keyring.sign('cursors', 'text')))
            refused.push(`half minute ${halfMinute}`);
        }
      await clock.advance(minuteMs / 2);
    }

    expect(refused).toEqual([]);
    expect([...signedBy]).toEqual(['first', 'second']);
  });
});

describe('a secret that the vault does not have', () => {
  it('is that of the settings', async () => {
    const { secrets, vault, request } = setUp({
      secretKey: { given: { current: 'given', previous: 'before' } },
    });
    vault.versions = {};
    await request();

    expect(secrets.get('SECRET_KEY')).toEqual({ current: 'given', previous: 'before' });
    expect(secrets.get('JWT_SECRET')).toBeUndefined();
  });

  it('is named to the operator where the settings have none either', async () => {
    const { vault, failures, refusalOf } = setUp();
    vault.versions = {};
    const refusal = await refusalOf();

    const words = 'The vault has no enabled version of the secret secret-key, and SECRET_KEY is not set';
    expect(failures).toEqual([`SECRET_KEY: ${words}`]);
    expect(refusal).toMatchObject({
      code: 'unavailable',
      message: 'The secrets of this service are not available at the moment',
      cause: { code: 'secret_missing', message: words },
    });
  });

  it('stays what it was while it cannot be done without, and is off otherwise', async () => {
    const { clock, secrets, vault, failures, request } = setUp();
    vault.versions['jwt-secret'] = [{ id: 'j1', value: 'shared', ...old }];
    await request();
    const before = secrets.get('JWT_SECRET');
    vault.versions = {};
    await clock.advance(6 * minuteMs);
    await request();

    expect(before).toEqual({ current: 'shared' });
    expect(secrets.get('JWT_SECRET')).toBeUndefined();
    expect(secrets.get('SECRET_KEY')).toEqual({ current: 'first' });
    expect(failures).toEqual([expect.stringContaining('no enabled version')]);
  });

  it('has no say over what was replaced beside it', async () => {
    const { clock, secrets, vault, request } = setUp();
    await request();
    vault.versions = { 'jwt-secret': [{ id: 'j1', value: 'shared', ...old }] };
    await clock.advance(6 * minuteMs);
    await request();

    expect(secrets.get('JWT_SECRET')).toEqual({ current: 'shared' });
    expect(secrets.get('SECRET_KEY')).toEqual({ current: 'first' });
  });
});

describe('a value that the setting must not have', () => {
  it('is refused without being shown', async () => {
    const { vault, failures, refusalOf } = setUp();
    vault.versions['secret-key'] = [{ id: 'v1', value: 'ab', ...old }];

    expect(await refusalOf()).toMatchObject({ cause: { code: 'secret_unusable' } });
    expect(failures).toEqual(['SECRET_KEY: The secret secret-key in the vault is too short (SECRET_KEY)']);
  });

  it('leaves an instance that starts with the one before it, and is told', async () => {
    const { secrets, vault, failures, request } = setUp();
    vault.versions['secret-key'] = [
      { id: 'v1', value: 'first', ...old },
      { id: 'v2', value: 'ab', createdAt: 1 },
    ];
    await request();

    expect(secrets.get('SECRET_KEY')).toEqual({ current: 'first' });
    expect(failures).toEqual(['SECRET_KEY: The secret secret-key in the vault is too short (SECRET_KEY)']);
  });

  it('is refused also where it is the one before, since others may still sign with what came before both', async () => {
    const { secrets, vault, refusalOf } = setUp();
    vault.versions['secret-key'] = [
      { id: 'v1', value: 'ab', ...old },
      { id: 'v2', value: 'second', createdAt: 1 },
    ];

    expect(await refusalOf()).toMatchObject({ cause: { code: 'secret_unusable' } });
    expect(() => secrets.get('SECRET_KEY')).toThrow(expect.objectContaining({ code: 'unavailable' }));
  });

  it('leaves the one before it in use', async () => {
    const { clock, secrets, vault, request } = setUp();
    await request();
    vault.versions['secret-key'] = [
      { id: 'v1', value: 'first', ...old },
      { id: 'v2', value: 'ab', createdAt: 1 },
    ];
    await clock.advance(6 * minuteMs);
    await request();

    expect(secrets.get('SECRET_KEY')).toEqual({ current: 'first' });
  });
});
