export { createClientOver, createDenoiseClient, type DenoiseClient } from './denoise-client.ts';
export type * from './types.ts';
