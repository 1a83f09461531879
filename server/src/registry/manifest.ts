import { z } from 'zod';
import { modeSchema, planSchema, sha256Hex } from '@cipherdose/sdk/protocol';

/** What import proved of one linear layer; checked again whenever the model is loaded. */
const layerProof = z.strictObject({
  layer: z.int().min(0),
  /** Every |accumulator| is at most this, which is below t/2. */
  accumulatorBound: z.int().min(0),
  /** Room between the noise of a reply and the noise at which decryption may fail, bits. */
  noiseMarginBits: z.number().positive(),
  /** Bits of the largest weight, sign apart. */
  weightBits: z.int().min(0).max(15),
});

/** What the flood of private mode leaves for a client to see; computed again whenever the model is loaded. */
const privacy = z.strictObject({
  /** Of the slice that `distanceBits` belongs to, pixels. */
  side: z.int().min(1),
  /** The statistical distance of all that travels for one slice is at most 2^-this. */
  distanceBits: z.number().positive(),
  layers: z
    .array(
      z.strictObject({
        layer: z.int().min(0),
        coefficientDistanceBits: z.number().positive(),
        distanceBits: z.number().positive(),
      }),
    )
    .min(1),
});

/** How far the integer network is from the real one on the calibration images, outputs in whole HU. */
const quantisation = z.strictObject({
  calibrationImages: z.int().min(1),
  rmsDifferenceHu: z.number().min(0),
  largestDifferenceHu: z.number().min(0),
});

/** manifest.json of a model folder. */
export const manifestSchema = z.strictObject({
  format: z.literal('cipherdose-model/1'),
  plan: planSchema,
  /** SHA-256 of the plan. */
  digest: sha256Hex,
  /** Ways in which the owner lets it run; manifests of old do not say, and mean interactive only. */
  modes: z.array(modeSchema).min(1).default(['interactive']),
  /** Of models that run in private mode. */
  privacy: privacy.optional(),
  /** One line for people who choose a model. */
  summary: z.string().min(1).max(500),
  layers: z.array(layerProof).min(1),
  weights: z.strictObject({ file: z.literal('weights.bin'), bytes: z.int().min(1), sha256: sha256Hex }),
  quantisation,
  /** The file that was imported. */
  source: z.strictObject({ sha256: sha256Hex, bytes: z.int().min(1) }).optional(),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** card.json: data, licence, split, figures; free in form. */
export const cardSchema = z.record(z.string(), z.unknown());
/** Free-form facts about a model: data, licence, split, figures. */
export type ModelCard = z.infer<typeof cardSchema>;

export const manifestFile = 'manifest.json';
export const cardFile = 'card.json';
