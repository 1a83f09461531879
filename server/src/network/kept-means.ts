import { isDeepStrictEqual } from 'node:util';
import { nonLocalMeans, type FeatureMap, type NonLocalMeansRule } from '@cipherdose/sdk/image';

interface Inputs {
  readonly image: FeatureMap;
  readonly deviation: FeatureMap;
  readonly guide: FeatureMap;
  readonly rule: NonLocalMeansRule;
}

/**
 * Non-local means that are not computed twice if nothing they are made of has changed. They take seconds, and what is tried
 * in turn for a network often differs only behind them.
 */
export class KeptMeans {
  /** The last of each place. */
  readonly #kept = new Map<string, { readonly inputs: Inputs; readonly result: FeatureMap }>();

  /** @param place of the network, and which image */
  of(place: string, inputs: Inputs): FeatureMap {
    const kept = this.#kept.get(place);
    if (kept && isSame(kept.inputs, inputs)) return kept.result;
    const { image, deviation, rule, guide } = inputs;
    const result = nonLocalMeans(image, deviation, rule, guide);
    this.#kept.set(place, { inputs, result });
    return result;
  }
}

const isSame = (a: Inputs, b: Inputs): boolean =>
  isDeepStrictEqual(a.rule, b.rule) &&
  isSameMap(a.image, b.image) &&
  isSameMap(a.deviation, b.deviation) &&
  isSameMap(a.guide, b.guide);

const isSameMap = (a: FeatureMap, b: FeatureMap): boolean =>
  a.channels === b.channels && a.height === b.height && bytesOf(a).equals(bytesOf(b));

const bytesOf = ({ data }: FeatureMap): Buffer => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
