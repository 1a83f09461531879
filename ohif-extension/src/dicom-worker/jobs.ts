import type { DerivationOptions } from '@cipherdose/sdk/dicom';
import type { SerialisedError } from '@cipherdose/sdk/errors';

export type DicomFile = Uint8Array<ArrayBuffer>;

/** What the DICOM worker can be asked; it answers each message with one, in order. */
export type DicomJob =
  | {
      readonly kind: 'write';
      /** The object that the result was derived from. */
      readonly file: DicomFile;
      readonly hu: Int16Array;
      readonly options: DerivationOptions;
    }
  /** Whether two objects have the same identity and the same HU. */
  | { readonly kind: 'compare'; readonly file: DicomFile; readonly other: DicomFile };

export interface DicomResults {
  readonly write: {
    readonly file: DicomFile;
    readonly sopInstanceUid: string;
    readonly seriesInstanceUid: string;
    readonly studyInstanceUid: string;
  };
  readonly compare: boolean;
}

export type DicomReply =
  { readonly result: DicomResults[DicomJob['kind']] } | { readonly error: SerialisedError };
