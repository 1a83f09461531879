import { DenoiseError } from '@cipherdose/sdk/errors';
import type { HuImage } from '@cipherdose/sdk/image';
import { estimateCost } from '@cipherdose/sdk/packing';
import { checkPlan } from '@cipherdose/sdk/plan';
import { parameterSetNames, type Plan } from '@cipherdose/sdk/protocol';
import type { FloatNetwork } from '../network/float-network.ts';
import { KeptMeans } from '../network/kept-means.ts';
import { defaultPrecision, quantise, type Precision, type QuantisedNetwork } from '../network/quantise.ts';
import { lossAgainst, type Loss } from './measure-loss.ts';

/** One way to make integers of a network, and what came of it. */
export interface Candidate {
  readonly parameterSet: string;
  readonly precision: Precision;
  readonly quantised: QuantisedNetwork;
  readonly loss: Loss;
  /** Of a slice of 512 x 512 pixels, both ways. */
  readonly bytes: number;
}

/** The choice, and why it was made. */
export interface ParameterChoice {
  readonly chosen: Candidate;
  readonly reason: string;
}

/**
 * RMS difference to the real network, HU, up to which a candidate is taken: rounding the output to whole HU alone costs
 * 0.29, and at an error of 10 HU or more against the normal dose (32 dB in a window of 400 HU) this costs at most
 * 0.011 dB.
 */
export const acceptedRmsHu = 0.5;

/** What is tried in turn: finer activations suit layers of few weights, coarser ones those of many. */
const precisions: readonly Precision[] = [
  defaultPrecision,
  { activationBits: 14, keep: 1, headroom: 2 },
  { activationBits: 11, keep: 0.9999, headroom: 1.5 },
  { activationBits: 10, keep: 0.999, headroom: 1.25 },
];

/** What {@link chooseParameters} needs to know of the rest of the import. */
export interface ChoiceOptions {
  readonly input: Plan['input'];
  /** Inside the range of the input. */
  readonly calibration: readonly HuImage[];
  readonly planOf: (parameterSet: string, quantised: QuantisedNetwork) => Omit<Plan, 'weightsDigest'>;
  /** Side of the slice whose bytes are compared, pixels. */
  readonly costSide: number;
}

/**
 * Tries the parameter sets from the fewest bytes a slice on, each with as many bits as the accumulator bound and the
 * noise bound leave, and takes the first whose loss is accepted; if none is, finer values, then coarser ones over narrower ranges, and the smallest loss.
 * @param parameterSet a name, or `auto`
 * @throws ACCUMULATOR_BOUND, NOISE_BOUND if no set has room for the network
 */
export function chooseParameters(
  network: FloatNetwork,
  parameterSet: string,
  options: ChoiceOptions,
): ParameterChoice {
  const { input, calibration } = options;
  const lossOf = lossAgainst(network, calibration, input);
  const means = new KeptMeans();
  const attempt = (name: string, precision: Precision): Candidate => {
    const quantised = quantise(network, { parameterSet: name, input, calibration, precision, means });
    const plan = options.planOf(name, quantised);
    const cost = estimateCost(
      checkPlan({ ...plan, weightsDigest: '0'.repeat(64) }),
      options.costSide,
      options.costSide,
    );
    const loss = lossOf(quantised.outputs);
    return { parameterSet: name, precision, quantised, loss, bytes: cost.bytesUp + cost.bytesDown };
  };
  if (parameterSet !== 'auto')
    return { chosen: attempt(parameterSet, defaultPrecision), reason: `${parameterSet}, as asked for` };

  const tried: Candidate[] = [];
  const refused: string[] = [];
  const tryOne = (name: string, precision: Precision): Candidate | undefined => {
    try {
      const candidate = attempt(name, precision);
      tried.push(candidate);
      return candidate;
    } catch (error) {
      if (
        !(error instanceof DenoiseError) ||
        (error.code !== 'ACCUMULATOR_BOUND' && error.code !== 'NOISE_BOUND')
      )
        throw error;
      refused.push(`${name}: ${error.code}`);
      return undefined;
    }
  };
  // Without room for masks, fewer primes are always fewer bytes.
  const names = parameterSetNames.filter((name) => name.includes('q60'));
  for (const precision of precisions)
    for (const name of precision === defaultPrecision ? names : names.slice(-1)) {
      const candidate = tryOne(name, precision);
      if (candidate && candidate.loss.rmsDifferenceHu <= acceptedRmsHu)
        return { chosen: candidate, reason: reasonOf(candidate, tried, refused) };
    }
  const [best] = tried.toSorted((a, b) => a.loss.rmsDifferenceHu - b.loss.rmsDifferenceHu);
  if (!best) throw new DenoiseError('ACCUMULATOR_BOUND', { tried: refused.join('; ') });
  return { chosen: best, reason: reasonOf(best, tried, refused) };
}

function reasonOf(chosen: Candidate, tried: readonly Candidate[], refused: readonly string[]): string {
  const figures = ({ parameterSet, precision, loss, bytes }: Candidate): string =>
    `${parameterSet} with ${precision.activationBits}-bit activations: rms ${loss.rmsDifferenceHu} HU, ` +
    `${(bytes / 1e6).toFixed(0)} MB a slice`;
  const accepted = chosen.loss.rmsDifferenceHu <= acceptedRmsHu;
  const others = tried.filter((candidate) => candidate !== chosen).map(figures);
  return [
    `${figures(chosen)}: ${
      accepted
        ? `the fewest bytes of those within ${acceptedRmsHu} HU of the real network`
        : `the closest of those that were tried, though not within ${acceptedRmsHu} HU of the real network`
    }`,
    ...(others.length > 0 ? [`not ${others.join(', nor ')}`] : []),
    ...(refused.length > 0 ? [`no room in ${refused.join(', ')}`] : []),
  ].join('; ');
}
