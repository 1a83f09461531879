import { packedBytes, type Plan } from '../protocol/index.ts';
import { activationCost } from '../two-party/index.ts';
import { sliceLayout } from './slice-layout.ts';

/** What private mode adds to the frames of a slice, whose bytes are those of `Cost`. Both ways, without headers. */
export interface PrivateCost {
  /** Before the image: corrections of all activations. */
  readonly offlineBytes: number;
  /** With the image. */
  readonly onlineBytes: number;
  /** Answers that the client waits for, one after another, once the image is there. */
  readonly rounds: number;
  readonly activations: number;
}

/** An answer, and the host's two messages of the activation. */
const roundsOfLayer = 3;

/**
 * What a slice of `height` x `width` pixels costs in private mode, beside its frames.
 * @throws PLAN_NOT_PRIVATE, PLAN_LIMIT
 */
export function privateCost(plan: Plan, height: number, width: number): PrivateCost {
  const { layers, activations } = sliceLayout(plan, { height, width });
  let [offlineBytes, onlineBytes] = [0, 0];
  for (const { activation, inputCount, inputBits, outputCount, answerBits } of layers) {
    const cost = activationCost(activation, outputCount);
    offlineBytes += cost.offlineBytes;
    onlineBytes +=
      cost.onlineBytes + packedBytes(inputCount, inputBits) + packedBytes(outputCount, answerBits);
  }
  const last = layers[layers.length - 1];
  if (last) onlineBytes += packedBytes(last.outputCount, last.activation.outputBits);
  return { offlineBytes, onlineBytes, rounds: roundsOfLayer * layers.length + 1, activations };
}
