import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import type { CtSlice } from '@cipherdose/sdk/dicom';

/**
 * Where derived files go: one folder for each source series, the name of the source file within. The same inputs in
 * the same order give the same names.
 */
export class OutputNames {
  readonly #out: string;
  readonly #taken = new Set<string>();

  constructor(out: string) {
    this.#out = out;
  }

  /** A path that no earlier call has returned, not even in another case. */
  pathFor(source: CtSlice, file: string): string {
    const folder = join(this.#out, seriesFolder(source));
    const stem = basename(file).replace(/\.dcm$/i, '');
    for (let copy = 1; ; copy++) {
      const path = join(folder, copy === 1 ? `${stem}.dcm` : `${stem}-${copy}.dcm`);
      if (this.#taken.has(path.toLowerCase())) continue;
      this.#taken.add(path.toLowerCase());
      return path;
    }
  }
}

/** The number is for people; the hash tells series of the same number apart and says nothing about the patient. */
function seriesFolder({ header, seriesInstanceUid }: CtSlice): string {
  const hash = createHash('sha256').update(seriesInstanceUid).digest('hex').slice(0, 8);
  return `series-${header.seriesNumber ?? 0}-${hash}`;
}
