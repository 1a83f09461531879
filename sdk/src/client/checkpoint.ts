import type { AwaitingLayer } from '../session/index.ts';
import type { SliceCheckpoint } from './types.ts';

// What a checkpoint holds stays out of reach of callers: intermediate values of the image.
const states = new WeakMap<SliceCheckpoint, AwaitingLayer>();

/** Keeps the state of a slice before the layer that failed. */
export function makeCheckpoint(index: number, state: AwaitingLayer): SliceCheckpoint {
  const checkpoint = Object.freeze({ index, layer: state.node.layer });
  states.set(checkpoint, state);
  return checkpoint;
}

export const checkpointState = (checkpoint: SliceCheckpoint): AwaitingLayer | undefined =>
  states.get(checkpoint);
