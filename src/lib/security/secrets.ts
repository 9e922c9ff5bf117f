import {
  AppError,
  type Clock,
  rejectOnAbort,
  singleFlight,
  startDeadline,
  startLifetime,
} from '../core/index.ts';
import type { RotatingSecret } from './derived-keys.ts';
import type { KeyVault } from './key-vault-client.ts';
import { SecretsError } from './secrets-error.ts';

/** What is taken for good before the vault is asked again. */
const lifeMs = 5 * 60_000;
/** The vault is asked in the background while this much of the time is left. */
const refreshAheadMs = 60_000;
/** All secrets of one reading. */
const readingMs = 15_000;
/** Between two readings when the last one has failed: with secrets that do, and without. */
const pauseMs = { withSecrets: 30_000, without: 5_000 };
/**
 * A version signs when it is there, and enabled, for this long, so that by then every instance has read it: one that has not would
 * refuse what the others have signed. Twice the time between two readings.
 */
const comingMs = 2 * lifeMs;

/** A secret that the service needs, and where it may be. */
export interface SecretPlace {
  /** For operators: the setting that stands in where the vault does not have it. */
  readonly setting: string;
  readonly nameInVault: string;
  /** From the settings. */
  readonly given: RotatingSecret | undefined;
  /** Whether the service can do without. */
  readonly optional: boolean;
  /** What is wrong with a value, without quoting it; more may be asked of the newest version than of the one before it. */
  readonly faultOf: (value: string, isNewest: boolean) => string | undefined;
}

/** The secrets that are read while the app runs, and may be replaced. */
export interface Secrets<Name extends string> {
  /**
   * Settles when every secret is known: at once, but for the first time. Call it before each piece of work; it is also what has
   * the secrets read again.
   *
   * @throws AppError `unavailable` while one is not known
   */
  ready(signal: AbortSignal): Promise<void>;
  /**
   * What to sign with, and what to accept beside it: for the first ten minutes of a new version, or of one that was enabled only now, that one, then the one before it.
   *
   * @throws AppError `unavailable` before `ready`
   */
  get(name: Name): RotatingSecret | undefined;
  /** The newest version, whatever its age. @throws AppError `unavailable` before `ready` */
  newest(name: Name): string | undefined;
}

interface SecretsOptions<Name extends string> {
  readonly clock: Clock;
  readonly places: Readonly<Record<Name, SecretPlace>>;
  /** Left out: the settings have them all. */
  readonly vault?: KeyVault | undefined;
  /** Told of each reading of the vault before it begins. Its pauses are enough: a breaker need not hold it back for longer. */
  readonly onReading: () => void;
  /** Told of each secret that could not be read. */
  readonly onFailure: (setting: string, error: unknown) => void;
}

/** A value with its age. */
interface Version {
  readonly id: string;
  readonly value: string;
  readonly changedAt: number;
}

/** The two newest versions that are enabled, newest first; of a setting, current and previous. */
type Held = readonly Version[];

/**
 * Makes the secrets. Without a vault they are those of the settings, for good. With one they are read at the first `ready` and then
 * every five minutes, in the background; what was read stands for as long as the vault does not answer. A secret that has no
 * enabled version in the vault is that of the settings; one that the service cannot do without stays what it was.
 */
export function createSecrets<Name extends string>(options: SecretsOptions<Name>): Secrets<Name> {
  const { clock, places, vault, onReading, onFailure } = options;
  const names = Object.keys(places) as Name[];
  const held = new Map<Name, Held>(vault ? [] : names.map((name) => [name, ofSettings(places[name])]));
  let leftMs = () => Number.NEGATIVE_INFINITY;
  let failure: { readonly error: unknown; readonly leftMs: () => number } | undefined;
  const isKnown = () => names.every((name) => held.has(name));

  const read = async (from: KeyVault): Promise<void> => {
    using time = startDeadline(clock, readingMs);
    onReading();
    const readings = names.map(async (name) => {
      const reading = readSecret(from, places[name], held.get(name) ?? [], time.signal);
      const { usable, error } = await rejectOnAbort(reading, time.signal);
      if (usable) held.set(name, usable);
      if (error) throw error;
    });
    const errors = (await Promise.allSettled(readings)).flatMap((outcome, index) => {
      if (outcome.status === 'fulfilled') return [];
      onFailure(places[names[index] as Name].setting, outcome.reason);
      return [outcome.reason];
    });
    const pause = isKnown() ? pauseMs.withSecrets : pauseMs.without;
    failure =
      errors.length === 0
        ? undefined
        : { error: errors[0], leftMs: startLifetime(clock, clock.now() + pause) };
    if (!failure) leftMs = startLifetime(clock, clock.now() + lifeMs);
  };
  const readOnce = singleFlight(() => (vault ? read(vault) : Promise.resolve()));

  const valuesOf = (name: Name) => {
    const values = held.get(name);
    if (!values) throw notKnown(failure?.error);
    return values;
  };
  return {
    async ready(signal) {
      if (!vault || leftMs() > refreshAheadMs) return;
      if (failure && failure.leftMs() > 0) {
        if (isKnown()) return;
        throw notKnown(failure.error);
      }
      const reading = readOnce();
      // Of an instance that was idle they are too old; of a vault that does not answer they have to do.
      if (isKnown() && (leftMs() > 0 || failure)) return;
      await rejectOnAbort(reading, signal);
      if (!isKnown()) throw notKnown(failure?.error);
    },
    get(name) {
      const [newest, before] = valuesOf(name);
      if (!newest) return undefined;
      if (!before) return { current: newest.value };
      const [current, previous] =
        clock.now() - newest.changedAt < comingMs ? [before, newest] : [newest, before];
      return { current: current.value, previous: previous.value };
    },
    newest: (name) => valuesOf(name)[0]?.value,
  };
}

function ofSettings({ given }: SecretPlace): Held {
  if (!given) return [];
  const ofSetting = (value: string) => ({ id: '', value, changedAt: 0 });
  return [given.current, ...(given.previous === undefined ? [] : [given.previous])].map(ofSetting);
}

interface Reading {
  /** Left out: what is known stays. */
  readonly usable?: Held;
  readonly error?: SecretsError;
}

/**
 * Reads a secret. A newest version that is not usable leaves an instance that starts with the one before it, as it leaves the
 * others: else a slip in the vault would be an outage as soon as all have been replaced.
 *
 * @throws SecretsError `secret_missing`, and what the vault throws
 */
async function readSecret(
  vault: KeyVault,
  place: SecretPlace,
  known: Held,
  signal: AbortSignal,
): Promise<Reading> {
  const { nameInVault, setting, optional } = place;
  const versions = (await vault.enabledVersions(nameInVault, signal)).slice(0, 2);
  if (versions.length === 0) {
    const given = ofSettings(place);
    if (given.length > 0 || optional) return { usable: given };
    throw new SecretsError(
      'secret_missing',
      `The vault has no enabled version of the secret ${nameInVault}, and ${setting} is not set`,
    );
  }
  const read = await Promise.all(
    versions.map(async ({ id, changedAt }, index) => {
      const value = known.find((one) => one.id === id)?.value ?? (await vault.read(nameInVault, id, signal));
      return { id, value, changedAt, fault: place.faultOf(value, index === 0) };
    }),
  );
  const fault = read.find((one) => one.fault !== undefined)?.fault;
  if (fault === undefined) return { usable: read };
  const error = new SecretsError(
    'secret_unusable',
    `The secret ${nameInVault} in the vault ${fault} (${setting})`,
  );
  const before = read.slice(1).filter((one) => one.fault === undefined);
  return known.length === 0 && before.length > 0 ? { usable: before, error } : { error };
}

function notKnown(cause: unknown): AppError {
  return new AppError('unavailable', 'The secrets of this service are not available at the moment', {
    cause,
  });
}
