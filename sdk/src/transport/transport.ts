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
  models(signal?: AbortSignal): Promise<readonly ModelSummary[]>;
  model(id: string, signal?: AbortSignal): Promise<ModelDetail>;
  evaluate(request: LayerRequest, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
}
