import { z } from 'zod';
import { modelId, planSchema, semanticVersion, sha256Hex } from './plan-schema.ts';

/** Content type of requests and replies that carry ciphertexts. */
export const frameContentType = 'application/vnd.cipherdose.frame';

export const modes = ['linear', 'interactive', 'private'] as const;
export const modeSchema = z.enum(modes);
export type Mode = z.infer<typeof modeSchema>;

/** What one 512x512 slice costs. */
export const costSchema = z.strictObject({
  rounds: z.int(),
  ciphertextsUp: z.int(),
  ciphertextsDown: z.int(),
  bytesUp: z.int(),
  bytesDown: z.int(),
  /** Ciphertext x plaintext products. */
  products: z.int(),
});
export type Cost = z.infer<typeof costSchema>;

export const modelSummarySchema = z.strictObject({
  id: modelId,
  version: semanticVersion,
  /** SHA-256 of the plan, which holds that of the weights. */
  digest: sha256Hex,
  modes: z.array(modeSchema).min(1),
  summary: z.string(),
  cost: costSchema,
});
export type ModelSummary = z.infer<typeof modelSummarySchema>;

export const modelListSchema = z.strictObject({ models: z.array(modelSummarySchema) });

export const modelDetailSchema = z.strictObject({
  ...modelSummarySchema.shape,
  plan: planSchema,
  /** The model card: data, licence, split, figures. */
  card: z.record(z.string(), z.unknown()),
});
export type ModelDetail = z.infer<typeof modelDetailSchema>;

export const errorBodySchema = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    details: z.record(z.string(), z.unknown()),
    requestId: z.string(),
  }),
});
export type ErrorBody = z.infer<typeof errorBodySchema>;
