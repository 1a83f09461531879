import type { Region } from './two-party-kernel.ts';

/** OTs of one call: 16 groups of 128. */
export const batchTransfers = 2048;
/** Values of one group: 32 vectors of four lanes. */
export const groupTransfers = 128;

/**
 * Which OTs these are. `type` (direction, purpose, index), `serial` and the number of the value make the tweak of the
 * hash, and no two OTs of a session may share it.
 */
export interface TransferJob {
  readonly batch: number;
  readonly type: number;
  readonly serial: number;
}

/** 1-of-2^width OTs; all places are addresses in the kernel's memory, see `assembly/two-party/extension.ts`. */
export interface LeafReceipt {
  readonly width: number;
  readonly choicePlanes: number;
  readonly corrections: number;
  readonly pads: number;
  /** 0: none */
  readonly secondPads: number;
}

/** The sender's side of {@link LeafReceipt}. */
export interface LeafDispatch {
  readonly width: number;
  /** Bits of every message that are used, 1 or 2. */
  readonly bits: number;
  readonly corrections: number;
  readonly pads: number;
  /** 0: none */
  readonly secondPads: number;
}

/** 1-of-2 OTs with a choice of one's own (`chosen`) or a random one, for words or for two bits. */
export interface PairReceipt {
  readonly chosen: boolean;
  readonly words: boolean;
  readonly choice: number;
  readonly corrections: number;
  readonly target: number;
}

/** The sender's side of {@link PairReceipt}. */
export interface PairDispatch {
  readonly chosen: boolean;
  readonly words: boolean;
  readonly corrections: number;
  readonly zero: number;
  readonly difference: number;
}

/** Bytes of corrections that the receiver sends for one batch. */
export interface CorrectionSizes {
  readonly leafBytes: number;
  pairBytes(chosen: boolean): number;
}

/** Receiver of extended OTs. A silent OT that gives the same outputs from fewer corrections can take its place. */
export interface TransferReceiver {
  readonly sizes: CorrectionSizes;
  /** Writes corrections and pads of one batch. */
  receiveLeaves(job: TransferJob, leaf: LeafReceipt): void;
  receivePairs(job: TransferJob, pair: PairReceipt): void;
  /** Wipes the seeds. */
  close(): void;
}

/** Sender of extended OTs; `corrections` are the receiver's. */
export interface TransferSender {
  readonly sizes: CorrectionSizes;
  sendLeaves(job: TransferJob, leaf: LeafDispatch): void;
  sendPairs(job: TransferJob, pair: PairDispatch): void;
  /** Wipes the seeds. */
  close(): void;
}

/** Where an extension keeps what it needs over the whole session. */
export interface ExtensionMemory {
  readonly seeds: Region;
  readonly key: Region;
  readonly deltas?: Region;
}
