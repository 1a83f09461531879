import type {
  CorrectionSizes,
  ExtensionMemory,
  LeafDispatch,
  LeafReceipt,
  PairDispatch,
  PairReceipt,
  TransferJob,
  TransferReceiver,
  TransferSender,
} from './oblivious-transfer.ts';
import type { TwoPartyKernel } from './two-party-kernel.ts';

/** Bits of the field: 4 sends more and computes less, 8 is for slow links. */
export type FieldBits = 4 | 8;

/** Security parameter: minimum distance of the codes times the bits of the field. */
const securityBits = 128;
const columnBytes = 256;

/** Columns of the repetition code: its distance is their number. */
export const pairColumns = (k: FieldBits): number => securityBits / k;
/** Columns of the simplex code [15, 4, 8], repeated: distance 8 of 15. */
export const leafColumns = (k: FieldBits): number => (pairColumns(k) * 15) / 8;

/** Bytes of corrections of one batch. */
export const correctionSizes = (k: FieldBits): CorrectionSizes => ({
  leafBytes: leafColumns(k) * columnBytes,
  // A random choice is the sum of the first column itself.
  pairBytes: (chosen) => (pairColumns(k) - (chosen ? 0 : 1)) * columnBytes,
});

/** What one side has of an extension after the base OTs. */
export interface ExtensionSeeds {
  readonly k: FieldBits;
  /** 2^k seeds of 32 bytes a column; the sender's as `growPuncturedSeeds` orders them. */
  readonly seeds: Uint8Array;
  /** 32 bytes, known to both sides: the key of the hash. */
  readonly hashKey: Uint8Array;
}

/** SoftSpokenOT (Roy, CRYPTO 2022), semi-honest, receiver. */
export class SoftSpokenReceiver implements TransferReceiver {
  readonly sizes: CorrectionSizes;
  readonly #kernel: TwoPartyKernel;
  readonly #k: FieldBits;
  readonly #memory: ExtensionMemory;

  constructor(kernel: TwoPartyKernel, { k, seeds, hashKey }: ExtensionSeeds) {
    this.#kernel = kernel;
    this.#k = k;
    this.sizes = correctionSizes(k);
    this.#memory = { seeds: load(kernel, seeds), key: load(kernel, hashKey) };
  }

  receiveLeaves({ batch, type, serial }: TransferJob, leaf: LeafReceipt): void {
    const { seeds, key } = this.#memory;
    this.#kernel.loops.receiveLeaves(
      seeds.address,
      leafColumns(this.#k),
      this.#k,
      key.address,
      batch,
      type,
      serial,
      leaf.choicePlanes,
      leaf.width,
      leaf.corrections,
      leaf.pads,
      leaf.secondPads,
    );
  }

  receivePairs({ batch, type, serial }: TransferJob, pair: PairReceipt): void {
    const { seeds, key } = this.#memory;
    this.#kernel.loops.receivePairs(
      seeds.address,
      pairColumns(this.#k),
      this.#k,
      key.address,
      batch,
      type,
      serial,
      Number(pair.chosen),
      Number(pair.words),
      pair.choice,
      pair.corrections,
      pair.target,
    );
  }

  close(): void {
    close(this.#kernel, this.#memory);
  }
}

/** SoftSpokenOT, semi-honest, sender. */
export class SoftSpokenSender implements TransferSender {
  readonly sizes: CorrectionSizes;
  readonly #kernel: TwoPartyKernel;
  readonly #k: FieldBits;
  readonly #memory: Required<ExtensionMemory>;

  /** @param deltas k secret bits a column */
  constructor(kernel: TwoPartyKernel, { k, seeds, hashKey }: ExtensionSeeds, deltas: Uint32Array) {
    this.#kernel = kernel;
    this.#k = k;
    this.sizes = correctionSizes(k);
    this.#memory = {
      seeds: load(kernel, seeds),
      key: load(kernel, hashKey),
      deltas: load(kernel, new Uint8Array(deltas.buffer, deltas.byteOffset, deltas.byteLength)),
    };
  }

  sendLeaves({ batch, type, serial }: TransferJob, leaf: LeafDispatch): void {
    const { seeds, key, deltas } = this.#memory;
    this.#kernel.loops.sendLeaves(
      seeds.address,
      deltas.address,
      leafColumns(this.#k),
      this.#k,
      key.address,
      batch,
      type,
      serial,
      leaf.width,
      leaf.bits,
      leaf.corrections,
      leaf.pads,
      leaf.secondPads,
    );
  }

  sendPairs({ batch, type, serial }: TransferJob, pair: PairDispatch): void {
    const { seeds, key, deltas } = this.#memory;
    this.#kernel.loops.sendPairs(
      seeds.address,
      deltas.address,
      pairColumns(this.#k),
      this.#k,
      key.address,
      batch,
      type,
      serial,
      Number(pair.chosen),
      Number(pair.words),
      pair.corrections,
      pair.zero,
      pair.difference,
    );
  }

  close(): void {
    close(this.#kernel, this.#memory);
  }
}

function load(kernel: TwoPartyKernel, bytes: Uint8Array) {
  const region = kernel.take(bytes.length);
  kernel.bytes(region.address, bytes.length).set(bytes);
  return region;
}

function close(kernel: TwoPartyKernel, { seeds, key, deltas }: ExtensionMemory): void {
  for (const region of [seeds, key, deltas]) if (region) kernel.give(region);
}
