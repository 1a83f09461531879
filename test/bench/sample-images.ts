import { readdirSync, readFileSync } from 'node:fs';
import { readCtSlice } from '@cipherdose/sdk/dicom';
import type { HuImage } from '@cipherdose/sdk/image';

// Compiled to test/dist/bench.
export const repositoryRoot = new URL('../../../', import.meta.url);
const folder = new URL('examples/sample-series/low-dose/', repositoryRoot);

/** The low-dose slices of examples/sample-series, 512 x 512. */
export const sampleImages = (): HuImage[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.dcm'))
    .sort()
    .map((name) => readCtSlice(readFileSync(new URL(name, folder))).image);
