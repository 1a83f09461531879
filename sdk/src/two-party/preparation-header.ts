import { DenoiseError } from '../errors/index.ts';
import type { ActivationParameters } from './activation-parameters.ts';

/** What stands before the host's corrections: what they were made for. */
export const preparationHeaderBytes = 16;

/** l, shift, clamp, output bits, rounding (a byte each), three zero bytes, activations (u32), zero (u32). */
export function preparationHeader(parameters: ActivationParameters, count: number): Uint8Array {
  const { accumulatorBits, shift, clampBits, outputBits, rounding } = parameters;
  const header = new Uint8Array(preparationHeaderBytes);
  header.set([accumulatorBits, shift, clampBits, outputBits, rounding === 'half-up' ? 1 : 0]);
  new DataView(header.buffer).setUint32(8, count, true);
  return header;
}

/** @throws TWO_PARTY_PARAMETERS where the other side prepares another activation */
export function checkPreparationHeader(
  header: Uint8Array,
  parameters: ActivationParameters,
  count: number,
): void {
  const expected = preparationHeader(parameters, count);
  if (expected.some((byte, i) => byte !== header[i]))
    throw new DenoiseError('TWO_PARTY_PARAMETERS', { field: 'preparation' });
}
