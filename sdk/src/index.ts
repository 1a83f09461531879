/**
 * Typed client for denoising CT images on a model host that only sees ciphertext.
 * @packageDocumentation
 */
export { createClientOver, createDenoiseClient, type DenoiseClient } from './client/index.ts';
export type {
  DenoiseClientOptions,
  DenoiseOptions,
  DenoisePhase,
  DenoiseProgress,
  PhaseStatistics,
  SliceCheckpoint,
  SliceResult,
  SliceStatistics,
} from './client/index.ts';
export { DenoiseError, errorTable, type ErrorCode, type ErrorEntry } from './errors/index.ts';
export type { HuImage } from './image/index.ts';
export {
  modeDisclosure,
  type Cost,
  type Mode,
  type ModelDetail,
  type ModelSummary,
  type Plan,
} from './protocol/index.ts';
export {
  fetchTransport,
  type FetchTransportOptions,
  type LayerRequest,
  type OpenSocket,
  type PrivateChannel,
  type PrivateChannelListener,
  type Transport,
} from './transport/index.ts';
