export {
  layerDone,
  sliceAt,
  type AwaitingLayer,
  type FinishedSlice,
  type GroupExchange,
  type GroupResult,
  type SliceState,
} from './slice-session.ts';
