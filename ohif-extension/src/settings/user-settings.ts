import { z } from 'zod';
import { modeSchema } from '@cipherdose/sdk/protocol';

/** What one user chose; kept in the browser. Keys are not among them. */
const userSettingsSchema = z.object({
  serverUrl: z.string().optional().catch(undefined),
  model: z.string().optional().catch(undefined),
  mode: modeSchema.optional().catch(undefined),
  range: z.enum(['slice', 'nearby', 'series']).optional().catch(undefined),
  /** Percent of the model's correction that is shown. */
  strength: z.int().min(0).max(100).optional().catch(undefined),
});
export type UserSettings = z.infer<typeof userSettingsSchema>;
export type SliceRange = NonNullable<UserSettings['range']>;

const key = 'cipherdose.settings';

/** What is used of `localStorage`. */
export type TextStorage = Pick<Storage, 'getItem' | 'setItem'>;

/** @returns what was kept; what is damaged or of an older version is left out. */
export function loadUserSettings(storage: TextStorage): UserSettings {
  try {
    const parsed = userSettingsSchema.safeParse(JSON.parse(storage.getItem(key) ?? '{}'));
    return parsed.success ? parsed.data : {};
  } catch {
    return {};
  }
}

/** Keeps the settings; a browser that refuses to keep anything is no failure. */
export function saveUserSettings(storage: TextStorage, settings: UserSettings): void {
  try {
    storage.setItem(key, JSON.stringify(settings));
  } catch {
    // Private windows and full storages refuse.
  }
}
