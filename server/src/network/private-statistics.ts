import { DenoiseError } from '@cipherdose/sdk/errors';
import type { HuImage, NumberMap } from '@cipherdose/sdk/image';
import { channelExtents } from './calibration-maps.ts';
import { evaluateFloat } from './float-evaluator.ts';
import type { FloatNetwork } from './float-network.ts';
import type { PrivateChains } from './private-chains.ts';

/** What the calibration images make of the values that private mode has to know, by name of the linear layer. */
export interface PrivateStatistics {
  /** How far each channel of the result goes: of a hidden layer behind ReLU and clip, above 0. */
  readonly extents: ReadonlyMap<string, readonly number[]>;
  /** Mean square of each channel of a layer's input. */
  readonly meanSquares: ReadonlyMap<string, Float64Array>;
  /** Of the network for each image, row-major HU, not rounded. */
  readonly outputs: readonly Float64Array[];
}

/** Part of the values of a hidden channel that its range holds. */
const keep = 0.9999;

/**
 * Evaluates the real network once on the calibration images.
 * @param images clipped to the range of the model
 * @throws CALIBRATION_INVALID if there is none
 */
export function privateStatistics(
  network: FloatNetwork,
  { hidden, last }: PrivateChains,
  images: readonly Pick<HuImage, 'hu' | 'height' | 'width'>[],
): PrivateStatistics {
  if (images.length === 0) throw new DenoiseError('CALIBRATION_INVALID', { images: 0 });
  const chains = [...hidden.values()];
  const ends = new Map(chains.map(({ linear, nodes }) => [nodes.at(-1) as string, linear.name]));
  const layers = [...chains.map(({ linear }) => linear), last];
  const results = new Map<string, NumberMap[]>(layers.map(({ name }) => [name, []]));
  const squares = new Map(layers.map(({ name, inChannels }) => [name, new Float64Array(inChannels)]));
  const outputs = images.map(({ hu, height, width }) =>
    evaluateFloat(network, hu, height, width, (name, map) => {
      const end = name === last.name ? name : ends.get(name);
      if (end !== undefined) results.get(end)?.push(map);
      for (const layer of layers)
        if (layer.input === name) addSquares(squares.get(layer.name) as Float64Array, map, images.length);
    }),
  );
  const extents = layers.map(({ name }) => {
    const found = channelExtents(results.get(name) ?? [], (value) => value, name === last.name ? 1 : keep);
    return [
      name,
      found.map(({ above, below }) => (name === last.name ? Math.max(above, below) : above)),
    ] as const;
  });
  return { extents: new Map(extents), meanSquares: squares, outputs };
}

function addSquares(sums: Float64Array, map: NumberMap, images: number): void {
  const plane = map.height * map.width;
  for (let channel = 0; channel < map.channels; channel++) {
    let sum = 0;
    for (let i = channel * plane; i < (channel + 1) * plane; i++) sum += (map.data[i] as number) ** 2;
    sums[channel] = (sums[channel] as number) + sum / plane / images;
  }
}
