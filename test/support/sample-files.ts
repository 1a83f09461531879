import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** @returns a DICOM file of test/data/dicom; test/data/README.md says where each comes from. */
export const sampleFile = (name: string): Uint8Array =>
  new Uint8Array(gunzipSync(readFileSync(new URL(`../data/dicom/${name}.dcm.gz`, import.meta.url))));
