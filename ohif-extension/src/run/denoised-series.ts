import type { Mode, ModelSummary } from '@cipherdose/sdk';
import type { DenoiseError } from '@cipherdose/sdk/errors';
import type { InstanceAddress } from '../dicomweb/dicomweb-archive.ts';
import { blendHu } from '@cipherdose/sdk/image';
import { subtract } from './subtract.ts';

export type SliceState = 'waiting' | 'running' | 'done' | 'failed';

/** One slice of a series that is being denoised. */
export interface DenoisedSlice {
  readonly address: InstanceAddress;
  state: SliceState;
  /** Row-major HU; there when the slice is done. */
  source?: Int16Array;
  denoised?: Int16Array;
  error?: DenoiseError;
}

/** A source series and what was made of it with one model. It lives in the memory of the page until it is saved. */
export class DenoisedSeries {
  readonly slices: readonly DenoisedSlice[];
  readonly rows: number;
  readonly columns: number;
  readonly description: string;
  readonly model: ModelSummary;
  readonly mode: Mode;
  /** One time for all slices. */
  readonly started = new Date();
  /** Percent of the correction that is shown and saved. */
  strength = 100;
  /** Slices and strength of the last save. */
  saved: { readonly slices: number; readonly strength: number } | undefined;

  constructor(options: {
    readonly addresses: readonly InstanceAddress[];
    readonly rows: number;
    readonly columns: number;
    readonly description: string;
    readonly model: ModelSummary;
    readonly mode: Mode;
  }) {
    this.slices = options.addresses.map((address) => ({ address, state: 'waiting' }));
    this.rows = options.rows;
    this.columns = options.columns;
    this.description = options.description;
    this.model = options.model;
    this.mode = options.mode;
  }

  get sourceSeriesUid(): string {
    return this.slices[0]?.address.seriesInstanceUid ?? '';
  }

  count(state: SliceState): number {
    return this.slices.filter((slice) => slice.state === state).length;
  }

  /** Whether there is something to write that is not just the source. */
  get writable(): boolean {
    return this.count('done') > 0 && this.strength > 0;
  }

  get unsaved(): boolean {
    const done = this.count('done');
    return done > 0 && (this.saved?.slices !== done || this.saved.strength !== this.strength);
  }

  /** HU as shown at the current strength. @param target rows * columns @returns false if the slice is not done */
  paint(index: number, target: Int16Array, kind: 'denoised' | 'difference' = 'denoised'): boolean {
    const { source, denoised } = this.slices[index] ?? {};
    if (!source || !denoised || target.length !== source.length) return false;
    blendHu(source, denoised, this.strength, target);
    if (kind === 'difference') subtract(target, source, target);
    return true;
  }
}
