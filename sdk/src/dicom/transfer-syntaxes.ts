/** How data elements are laid out. */
export interface Encoding {
  readonly explicit: boolean;
  readonly littleEndian: boolean;
}

interface TransferSyntax {
  readonly name: string;
  readonly encoding: Encoding;
  /** The pixel data is compressed. */
  readonly compressed?: true;
  /** The whole data set is compressed by deflate. */
  readonly deflated?: true;
}

export const implicitLittleEndian = '1.2.840.10008.1.2';
export const explicitLittleEndian = '1.2.840.10008.1.2.1';

const encoding: Encoding = { explicit: true, littleEndian: true };
const compressed = (name: string): TransferSyntax => ({ name, encoding, compressed: true });

/** PS3.5 section 10 and annex A */
const known: Readonly<Record<string, TransferSyntax>> = {
  [implicitLittleEndian]: {
    name: 'Implicit VR Little Endian',
    encoding: { explicit: false, littleEndian: true },
  },
  [explicitLittleEndian]: { name: 'Explicit VR Little Endian', encoding },
  '1.2.840.10008.1.2.2': {
    name: 'Explicit VR Big Endian',
    encoding: { explicit: true, littleEndian: false },
  },
  '1.2.840.10008.1.2.1.99': { name: 'Deflated Explicit VR Little Endian', encoding, deflated: true },
  '1.2.840.10008.1.2.4.50': compressed('JPEG Baseline'),
  '1.2.840.10008.1.2.4.51': compressed('JPEG Extended'),
  '1.2.840.10008.1.2.4.53': compressed('JPEG Spectral Selection'),
  '1.2.840.10008.1.2.4.55': compressed('JPEG Full Progression'),
  '1.2.840.10008.1.2.4.57': compressed('JPEG Lossless'),
  '1.2.840.10008.1.2.4.70': compressed('JPEG Lossless, First-Order Prediction'),
  '1.2.840.10008.1.2.4.80': compressed('JPEG-LS Lossless'),
  '1.2.840.10008.1.2.4.81': compressed('JPEG-LS Near-Lossless'),
  '1.2.840.10008.1.2.4.90': compressed('JPEG 2000 Lossless'),
  '1.2.840.10008.1.2.4.91': compressed('JPEG 2000'),
  '1.2.840.10008.1.2.5': compressed('RLE Lossless'),
};

/** @returns undefined for a transfer syntax that the standard does not know, whose layout nobody can tell. */
export const transferSyntaxOf = (uid: string): TransferSyntax | undefined =>
  known[uid] ?? (uid.startsWith('1.2.840.10008.1.2.4.') ? compressed('Image compression') : undefined);
