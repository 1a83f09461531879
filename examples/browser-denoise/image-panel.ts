import type { CtSlice } from '@cipherdose/sdk/dicom';
import type { ReadResult } from './dicom-jobs.ts';
import { readFiles } from './dicom-files.ts';
import { byId } from './elements.ts';

export interface ImagePanelEvents {
  readonly onSlices: (slices: readonly CtSlice[], refused: ReadResult['refused']) => void;
  readonly onFailure: (error: unknown) => void;
}

/** Takes DICOM files by drop, by choice, or from the sample, and reads them. */
export function createImagePanel({ onSlices, onFailure }: ImagePanelEvents): void {
  const input = byId('files', HTMLInputElement);
  const sample = byId('sample', HTMLButtonElement);
  const zone = byId('drop-zone', HTMLElement);

  const take = (files: readonly File[]): void => {
    if (files.length === 0) return;
    readFiles(files).then(({ slices, refused }) => onSlices(slices, refused), onFailure);
  };
  input.addEventListener('change', () => {
    take([...(input.files ?? [])]);
    input.value = '';
  });
  sample.addEventListener('click', () => void sampleFile().then((file) => take([file]), onFailure));

  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    zone.dataset['dragging'] = '';
  });
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) delete zone.dataset['dragging'];
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    delete zone.dataset['dragging'];
    take([...(event.dataTransfer?.files ?? [])]);
  });
}

async function sampleFile(): Promise<File> {
  const response = await fetch('sample.dcm');
  return new File([await response.blob()], 'sample.dcm');
}
