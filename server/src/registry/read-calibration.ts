import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { readCtSlice } from '@cipherdose/sdk/dicom';
import type { HuImage } from '@cipherdose/sdk/image';

const side = 512;
const sliceBytes = 2 * side * side;
const mostSlices = 64;
const mostBytes = mostSlices * sliceBytes;

/**
 * Reads the slices of a file or of a folder, in order of their names: `.i16` (int16 HU, little endian, z x 512 x
 * 512), the same gzipped (`.i16.gz`), or DICOM (`.dcm` or no extension). Other files of a folder are left alone.
 * @throws CALIBRATION_INVALID, FILE_UNREADABLE, DICOM_*
 */
export async function readCalibration(path: string): Promise<HuImage[]> {
  const images: HuImage[] = [];
  for (const file of await filesOf(path)) {
    images.push(...(await readSlices(file)));
    if (images.length > mostSlices) throw new DenoiseError('CALIBRATION_INVALID', { path, mostSlices });
  }
  if (images.length === 0) throw new DenoiseError('CALIBRATION_INVALID', { path, slices: 0 });
  if (images.every(({ hu }) => hu.every((value) => value === hu[0])))
    throw new DenoiseError('CALIBRATION_INVALID', { path, reason: 'every pixel is the same' });
  return images;
}

async function filesOf(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const entries = await readdir(path, { withFileTypes: true });
    const names = entries.filter((entry) => entry.isFile() && isSlice(entry.name)).map((entry) => entry.name);
    return names.toSorted().map((name) => join(path, name));
  } catch (error) {
    throw DenoiseError.wrap(error, 'FILE_UNREADABLE', { path });
  }
}

const isSlice = (name: string): boolean => /(^[^.]+|\.dcm|\.i16|\.i16\.gz)$/.test(name);

async function readSlices(path: string): Promise<HuImage[]> {
  const name = basename(path);
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new DenoiseError('FILE_UNREADABLE', { path }, { cause: error });
  });
  if (name.endsWith('.i16')) return rawSlices(bytes, name);
  if (name.endsWith('.i16.gz')) {
    const raw = await promisify(gunzip)(bytes, { maxOutputLength: mostBytes }).catch((error: unknown) => {
      throw new DenoiseError(
        'CALIBRATION_INVALID',
        { file: name, reason: 'not gzip, or too large' },
        { cause: error },
      );
    });
    return rawSlices(raw, name);
  }
  try {
    return [readCtSlice(bytes).image];
  } catch (error) {
    if (!(error instanceof DenoiseError)) throw error;
    throw new DenoiseError(error.code, { ...error.details, file: name }, { cause: error });
  }
}

/** Part of the pixels of a slice that has to be within the range of CT numbers. */
const leastPart = 0.5;
const isCt = (hu: Int16Array): boolean =>
  hu.reduce((count, value) => count + (value >= -1100 && value <= 3100 ? 1 : 0), 0) >= leastPart * hu.length;

function rawSlices(bytes: Uint8Array, file: string): HuImage[] {
  if (bytes.length === 0 || bytes.length % sliceBytes !== 0)
    throw new DenoiseError('CALIBRATION_INVALID', {
      file,
      bytes: bytes.length,
      expected: `a multiple of ${sliceBytes}`,
    });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const slices = Array.from({ length: bytes.length / sliceBytes }, (_, slice) => ({
    width: side,
    height: side,
    hu: Int16Array.from({ length: side * side }, (_, i) => view.getInt16(slice * sliceBytes + 2 * i, true)),
  }));
  if (!slices.every(({ hu }) => isCt(hu)))
    throw new DenoiseError('CALIBRATION_INVALID', { file, reason: 'most pixels are no CT numbers' });
  return slices;
}
