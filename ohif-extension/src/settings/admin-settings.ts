import { z } from 'zod';
import { modeSchema } from '@cipherdose/sdk/protocol';

const authenticationSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  /** The user enters a key; it is kept until the tab is closed. Or the administrator gives one for all. */
  z.strictObject({ kind: z.literal('api-key'), apiKey: z.string().min(1).optional() }),
  /** The viewer's own OpenID token is sent along. */
  z.strictObject({ kind: z.literal('openid') }),
]);

/** `window.config.cipherDose`: what an administrator decides. docs/ohif.md explains each field. */
export const adminSettingsSchema = z.strictObject({
  /** Address of the model host, absolute or relative to the page. */
  serverUrl: z.string().default('/cipherdose'),
  allowServerChange: z.boolean().default(false),
  /** Ids of the models that are offered; default: all of the host's. */
  models: z.array(z.string()).optional(),
  /** Chosen at first, if the host offers it. */
  defaultModel: z.string().default('balanced'),
  defaultMode: modeSchema.optional(),
  defaultRange: z.enum(['slice', 'nearby', 'series']).default('series'),
  authentication: authenticationSchema.default({ kind: 'none' }),
  /** HE workers; default: as many as processors, at most 4. */
  workers: z.int().min(1).max(16).optional(),
  slicesInFlight: z.int().min(1).max(8).default(2),
  /** Longest series that is taken. */
  maxSlices: z.int().min(1).default(2000),
  descriptionSuffix: z.string().min(1).max(32).default(' [denoised]'),
  seriesNumberOffset: z.int().default(9000),
});
export type AdminSettings = z.infer<typeof adminSettingsSchema>;

/** @throws Error that names the field, for the administrator */
export function checkAdminSettings(settings: unknown): AdminSettings {
  const parsed = adminSettingsSchema.safeParse(settings ?? {});
  if (parsed.success) return parsed.data;
  const { path = [], message = '' } = parsed.error.issues[0] ?? {};
  throw new Error(`window.config.cipherDose${path.map((part) => `.${String(part)}`).join('')}: ${message}`);
}
