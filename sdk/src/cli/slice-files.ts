import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { isDenoised, readCtSlice, type CtSlice } from '@cipherdose/sdk/dicom';

/** A single-frame CT file is never larger: 4096 x 4096 pixels of 2 bytes, and room. */
const largestFileBytes = 64 * 2 ** 20;

/** @throws FILE_UNREADABLE, DICOM_DENOISED, and what {@link readCtSlice} throws */
export async function readSliceFile(file: string): Promise<CtSlice> {
  const slice = readCtSlice(await readBytes(file));
  if (isDenoised(slice)) throw new DenoiseError('DICOM_DENOISED');
  return slice;
}

async function readBytes(file: string): Promise<Uint8Array> {
  try {
    const facts = await stat(file);
    if (!facts.isFile()) throw new DenoiseError('FILE_UNREADABLE', { reason: 'not a file' });
    if (facts.size > largestFileBytes)
      throw new DenoiseError('FILE_UNREADABLE', { reason: 'too large for a CT slice', bytes: facts.size });
    return await readFile(file);
  } catch (error) {
    throw DenoiseError.wrap(error, 'FILE_UNREADABLE', { reason: systemCode(error) });
  }
}

/** Writes a file that is there whole or not at all. @throws FILE_UNWRITABLE */
export async function writeWhole(file: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${file}.${process.pid}.partial`;
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(temporary, bytes);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw new DenoiseError('FILE_UNWRITABLE', { reason: systemCode(error) }, { cause: error });
  }
}

/** For example ENOENT. */
export const systemCode = (error: unknown): string =>
  (error as NodeJS.ErrnoException).code ?? 'unknown reason';
