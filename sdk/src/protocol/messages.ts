import { z } from 'zod';
import { modelId, planSchema, semanticVersion, sha256Hex } from './plan-schema.ts';

/** Content type of requests and replies that carry ciphertexts. */
export const frameContentType = 'application/vnd.cipherdose.frame';

/** Ways to run a model. SECURITY.md says what each side learns in each. */
export const modes = ['linear', 'interactive', 'private'] as const;
/** Checks one of {@link modes}. */
export const modeSchema = z.enum(modes);
/** One of {@link modes}. */
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
/** What one 512x512 slice costs: rounds, ciphertexts, bytes each way, products. */
export type Cost = z.infer<typeof costSchema>;

/** Checks a {@link ModelSummary}. */
export const modelSummarySchema = z.strictObject({
  id: modelId,
  version: semanticVersion,
  /** SHA-256 of the plan, which holds that of the weights. */
  digest: sha256Hex,
  modes: z.array(modeSchema).min(1),
  summary: z.string(),
  cost: costSchema,
});
/** One model of a host, as its list shows it. */
export type ModelSummary = z.infer<typeof modelSummarySchema>;

/** Checks the answer of `GET /v1/models`. */
export const modelListSchema = z.strictObject({ models: z.array(modelSummarySchema) });

/** Checks a {@link ModelDetail}. */
export const modelDetailSchema = z.strictObject({
  ...modelSummarySchema.shape,
  plan: planSchema,
  /** The model card: data, licence, split, figures. */
  card: z.record(z.string(), z.unknown()),
});
/** One model of a host with its plan and its card. */
export type ModelDetail = z.infer<typeof modelDetailSchema>;

/** Checks an {@link ErrorBody}. */
export const errorBodySchema = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    details: z.record(z.string(), z.unknown()),
    requestId: z.string(),
  }),
});
/** What a host answers with any failure. */
export type ErrorBody = z.infer<typeof errorBodySchema>;
