import * as z from 'zod';

/** What documentation and the local example need to know of a setting beside its schema. */
export interface SettingNotes {
  readonly group:
    | 'service'
    | 'secrets'
    | 'database'
    | 'storage'
    | 'uploads'
    | 'access'
    | 'backups'
    | 'alerts'
    | 'telemetry';
  readonly description: string;
  /** Value in local.settings.example.json; left out where the default is right on a developer's machine. */
  readonly local?: string;
  /** Its value must never be shown. */
  readonly secret?: true;
}

/** The notes of every setting, by its schema. */
export const notes = z.registry<SettingNotes>();
