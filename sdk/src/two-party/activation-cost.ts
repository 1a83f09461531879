import { activationBytes } from './activation-messages.ts';
import type { ActivationParameters } from './activation-parameters.ts';
import { batchTransfers } from './oblivious-transfer.ts';
import { correctionSizes, type FieldBits } from './soft-spoken.ts';
import { chunkActivations, downCorrectionBytes, paddedCount, upCorrectionBytes } from './transfer-plan.ts';

/** Bytes of the messages of some activations, both ways, without their headers. */
export interface ActivationCost {
  /** Of the preparation, which depends on no image. */
  readonly offlineBytes: number;
  readonly onlineBytes: number;
}

/** What `count` activations cost, in pieces of {@link chunkActivations}. */
export function activationCost(
  parameters: ActivationParameters,
  count: number,
  fieldBits: FieldBits = 4,
): ActivationCost {
  const sizes = correctionSizes(fieldBits);
  const batchBytes = downCorrectionBytes(parameters, sizes) + upCorrectionBytes(parameters, sizes);
  let [offlineBytes, onlineBytes] = [0, 0];
  for (let done = 0; done < count; done += chunkActivations) {
    const padded = paddedCount(Math.min(chunkActivations, count - done));
    offlineBytes += (padded / batchTransfers) * batchBytes;
    onlineBytes += Object.values(activationBytes(parameters, padded)).reduce((sum, bytes) => sum + bytes, 0);
  }
  return { offlineBytes, onlineBytes };
}
