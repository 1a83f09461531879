import type { ModelDetail, ModelSummary } from '../protocol/index.ts';

/** One tile group of one layer, on its way to the host. */
export interface LayerRequest {
  readonly model: string;
  readonly layer: number;
  /** A whole request frame. */
  readonly frame: Uint8Array<ArrayBuffer>;
  /** Length that the reply has to have; nothing longer is read. */
  readonly replyBytes: number;
}

/** The way to a model host. Every method throws DenoiseError only. */
export interface Transport {
  /** @returns what the host offers */
  models(signal?: AbortSignal): Promise<readonly ModelSummary[]>;
  /** @returns one model, its plan not yet checked @throws MODEL_UNKNOWN */
  model(id: string, signal?: AbortSignal): Promise<ModelDetail>;
  /** @returns the reply frame of one request frame, its length checked and nothing else */
  evaluate(request: LayerRequest, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
}
