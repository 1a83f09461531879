import { DenoiseError } from '@cipherdose/sdk/errors';
import { readCtSlice, type CtSlice } from '@cipherdose/sdk/dicom';

/**
 * Reads a slice as an archive holds it. A compressed one is decoded exactly, or refused; its data set is that of the
 * uncompressed image. The decoders are loaded when the first compressed slice comes.
 * @throws the DICOM_* codes
 */
export async function readSlice(file: Uint8Array): Promise<CtSlice> {
  try {
    return readCtSlice(file);
  } catch (error) {
    if (!(error instanceof DenoiseError) || error.code !== 'DICOM_COMPRESSED') throw error;
  }
  const { toNativeSyntax } = await import('@cipherdose/sdk/pixels');
  return readCtSlice(await toNativeSyntax(file));
}
