import type { HuImage } from '@cipherdose/sdk';
import type { CtSlice, DerivationOptions } from '@cipherdose/sdk/dicom';
import type { SerialisedError } from '@cipherdose/sdk/errors';

/** What the DICOM worker can be asked; it answers each message with one, in order. */
export type DicomJob =
  | { readonly kind: 'read'; readonly files: readonly File[] }
  | {
      readonly kind: 'write';
      readonly source: CtSlice;
      readonly denoised: HuImage;
      readonly options: DerivationOptions;
    };

/** Slices in the order of the scan, and the files that are none. */
export interface ReadResult {
  readonly slices: readonly CtSlice[];
  readonly refused: readonly {
    readonly name: string;
    /** Undefined: the slice was made by this software, and denoising it again is a mistake. */
    readonly error: SerialisedError | undefined;
  }[];
}

export interface DicomResults {
  readonly read: ReadResult;
  /** A whole DICOM file. */
  readonly write: Uint8Array<ArrayBuffer>;
}

export type DicomReply =
  { readonly result: DicomResults[DicomJob['kind']] } | { readonly error: SerialisedError };
