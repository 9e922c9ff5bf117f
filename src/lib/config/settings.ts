import * as z from 'zod';
import { accessSettings } from './settings/access.ts';
import { alertsSettings } from './settings/alerts.ts';
import { backupsSettings } from './settings/backups.ts';
import { databaseSettings } from './settings/database.ts';
import { notes, type SettingNotes } from './settings/notes.ts';
import { secretsSettings } from './settings/secrets.ts';
import { serviceSettings } from './settings/service.ts';
import { storageSettings } from './settings/storage.ts';
import { telemetrySettings } from './settings/telemetry.ts';
import { uploadsSettings } from './settings/uploads.ts';

/**
 * Every setting of the application: the one declaration from which loading, docs/settings.md and
 * local.settings.example.json follow.
 */
export const settingsSchema = z.object({
  ...serviceSettings,
  ...secretsSettings,
  ...databaseSettings,
  ...storageSettings,
  ...uploadsSettings,
  ...accessSettings,
  ...backupsSettings,
  ...alertsSettings,
  ...telemetrySettings,
});

/** What it is where the app reads secrets from a vault: those may be missing here. */
export const settingsBesideVault = settingsSchema.partial({ SECRET_KEY: true, DATABASE_URL: true });

/** The settings as read, before anything is derived from them. */
export type Settings = z.infer<typeof settingsBesideVault>;

/** One row of the documentation of settings. */
export interface SettingDescription extends SettingNotes {
  readonly name: string;
  readonly required: boolean;
  readonly defaultText: string | undefined;
  /** The values it can have, where they are few. */
  readonly allowed: readonly string[] | undefined;
}

/** Describes every setting, in the order of the schema. */
export function describeSettings(): SettingDescription[] {
  return Object.entries(settingsSchema.shape).map(([name, schema]) => {
    const note = notes.get(schema);
    if (!note) throw new Error(`setting ${name} has no description`);
    const whenUnset = schema.safeParse(undefined);
    const inner = schema instanceof z.ZodDefault ? schema.unwrap() : schema;
    const defaultValue = whenUnset.success ? whenUnset.data : undefined;
    return {
      name,
      ...note,
      required: !whenUnset.success,
      defaultText: defaultValue === undefined ? undefined : String(defaultValue),
      allowed: inner instanceof z.ZodEnum ? inner.options : undefined,
    };
  });
}
