import { z } from 'zod';
import { modeSchema } from '@cipherdose/sdk/protocol';
import { isTextPattern } from './text-pattern.ts';

const pattern = z
  .string()
  .min(1)
  .refine(isTextPattern, { message: 'is neither a glob nor a /regular expression/' });
const patterns = z.union([pattern, z.array(pattern).min(1)]);
const range = z
  .strictObject({ min: z.number().optional(), max: z.number().optional() })
  .refine(({ min, max }) => min !== undefined || max !== undefined, { message: 'needs min or max' });
const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$/, {
  message: 'is not HH:MM-HH:MM',
});
const printable = z.string().regex(/^[\x20-\x5b\x5d-\x7e]{1,32}$/, {
  message: 'is not 1 to 32 printable ASCII characters without backslash',
});

/** What a series must be like; every condition given must hold. Text: a glob or a /regular expression/, or several. */
const matchSchema = z.strictObject({
  modality: patterns.optional(),
  bodyPart: patterns.optional(),
  manufacturer: patterns.optional(),
  model: patterns.optional(),
  kernel: patterns.optional(),
  protocol: patterns.optional(),
  seriesDescription: patterns.optional(),
  sourceAet: patterns.optional(),
  /** Millimetres. */
  sliceThickness: range.optional(),
  kvp: range.optional(),
  /** Tube current-time product, mAs. */
  mas: range.optional(),
  instances: range.optional(),
  /** Local time at which the series is looked at; may span midnight. */
  timeOfDay: timeOfDay.optional(),
});

/** What happens to a series that the rule takes. */
const actionSchema = z.strictObject({
  model: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, { message: 'is not a model id' }),
  /** Default: the first that the model offers. */
  mode: modeSchema.optional(),
  /** Share of the denoised image in the result, to the nearest hundredth; 1 is all of it. */
  strength: z.number().min(0.01).max(1).default(1),
  /** Name of the Orthanc that gets the derived series; default: the one that holds the source. */
  writeTo: z.string().min(1).optional(),
  seriesDescriptionSuffix: printable.default(' [denoised]'),
  seriesNumberOffset: z.int().min(1).max(1_000_000).default(9000),
  imageTypeValue2: z.enum(['PRIMARY', 'SECONDARY']).default('SECONDARY'),
  keepPrivateAttributes: z.boolean().default(false),
  /** Higher goes first. */
  priority: z.int().min(-1000).max(1000).default(0),
  /** What to do with a series whose slices do not follow each other evenly. */
  gaps: z.enum(['quarantine', 'accept']).default('quarantine'),
  /**
   * What to do with images that call themselves derived (ImageType): skip reformats and the like, or accept them, as where
   * an archive marks all that it compresses. What CipherDose made is never taken.
   */
  derived: z.enum(['skip', 'accept']).default('skip'),
});

export const ruleSchema = z.strictObject({
  name: z.string().min(1).max(64),
  match: matchSchema.default({}),
  action: actionSchema,
});

export type Rule = z.infer<typeof ruleSchema>;
export type RuleMatch = Rule['match'];
export type RuleAction = Rule['action'];
