import type { FeatureMap, HuImage } from '@cipherdose/sdk/image';
import type { Plan } from '@cipherdose/sdk/protocol';
import { evaluateFloat } from '../network/float-evaluator.ts';
import type { FloatNetwork } from '../network/float-network.ts';

/** The integer network against the real one on the calibration images, both in whole HU. */
export interface Loss {
  readonly rmsDifferenceHu: number;
  readonly largestDifferenceHu: number;
}

/**
 * Evaluates the real network once, and gives what measures outputs of integer networks against it.
 * @param images of sizes that the network divides, inside the range of the input
 * @param outputs of the real network for each of them, if they are known
 */
export function lossAgainst(
  network: FloatNetwork,
  images: readonly HuImage[],
  { lowHu, highHu }: Plan['input'],
  outputs?: readonly Float64Array[],
): (integers: readonly FeatureMap[]) => Loss {
  let real = outputs;
  return (integers) => {
    real ??= images.map(({ hu, height, width }) => evaluateFloat(network, hu, height, width));
    let [squares, pixels, largest] = [0, 0, 0];
    integers.forEach(({ data }, index) => {
      const expected = real?.[index] as Float64Array;
      for (let i = 0; i < data.length; i++) {
        const whole = Math.max(lowHu, Math.min(highHu, Math.round(expected[i] as number)));
        const difference = Math.abs((data[i] as number) - whole);
        squares += difference ** 2;
        largest = Math.max(largest, difference);
      }
      pixels += data.length;
    });
    const rms = Math.round(Math.sqrt(squares / pixels) * 1e4) / 1e4;
    return { rmsDifferenceHu: rms, largestDifferenceHu: largest };
  };
}
