import type { CheckedPlan } from '@cipherdose/sdk/plan';
import type { Cost, Mode } from '@cipherdose/sdk/protocol';

/** One installed version of a model, as far as the routes need to know it. */
export interface HostedModel {
  readonly plan: CheckedPlan;
  readonly digest: string;
  readonly modes: readonly Mode[];
  readonly summary: string;
  readonly card: Readonly<Record<string, unknown>>;
  /** Folder of manifest and weights. */
  readonly directory: string;
  /** What one 512x512 slice costs. */
  readonly cost: Cost;
}

/** Where the host finds its models: a {@link Registry}, or a stub in tests. */
export interface ModelSource {
  /** The newest version of every model. */
  list(): readonly HostedModel[];
  /** @returns the newest version. @throws MODEL_UNKNOWN */
  get(id: string): HostedModel;
  /** @returns the installed version with this plan. @throws MODEL_UNKNOWN, FRAME_DIGEST */
  byDigest(id: string, digest: string): HostedModel;
}

/** One request frame of a known model, whole and of the right length; its residues are not yet checked. */
export interface Evaluation {
  readonly modelDirectory: string;
  readonly digest: string;
  readonly layer: number;
  /** Header and body in a buffer of its own: the evaluator may transfer it. */
  readonly frame: Uint8Array<ArrayBuffer>;
}

/** Evaluates linear layers on ciphertexts: an {@link EvaluatorPool}, or a stub in tests. */
export interface FrameEvaluator {
  /** Frames that are evaluated or wait. */
  readonly pending: number;
  /** @returns the whole reply frame. @throws FRAME_RESIDUE, HOST_BUSY */
  evaluate(evaluation: Evaluation): Promise<Uint8Array>;
}
