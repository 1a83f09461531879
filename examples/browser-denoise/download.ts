import type { HuImage } from '@cipherdose/sdk';
import type { CtSlice } from '@cipherdose/sdk/dicom';
import { writeFiles } from './dicom-files.ts';
import { create } from './elements.ts';
import type { ModelChoice } from './host-panel.ts';

/** Version of this software, put in by the bundler. */
declare const softwareVersion: string;

export interface DerivedSlices {
  readonly choice: ModelChoice;
  readonly slices: readonly CtSlice[];
  /** One time for the whole job. */
  readonly started: Date;
  /** By index of the slice. */
  readonly denoised: ReadonlyMap<number, HuImage>;
}

/** Writes the derived DICOM objects and hands them to the browser's downloads. */
export async function downloadDerived({ choice, slices, started, denoised }: DerivedSlices): Promise<void> {
  const { id, version, digest } = choice.model;
  const options = { model: { id, version, digest }, mode: choice.mode, timestamp: started, softwareVersion };
  const derived = slices.flatMap((source, index) => {
    const image = denoised.get(index);
    return image ? [{ source, denoised: image }] : [];
  });
  await writeFiles(derived, options, (file, { instanceNumber = 1 }) =>
    save(file, `denoised-${String(instanceNumber).padStart(4, '0')}.dcm`),
  );
}

function save(file: Uint8Array<ArrayBuffer>, name: string): void {
  const href = URL.createObjectURL(new Blob([file], { type: 'application/dicom' }));
  create('a', { href, download: name }).click();
  // The download has its own hold on the data once it has started.
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}
