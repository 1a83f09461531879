import { DenoiseError } from '@cipherdose/sdk/errors';
import { estimateCost } from '@cipherdose/sdk/packing';
import { checkPlan, privateLayers } from '@cipherdose/sdk/plan';
import { parameterSet } from '@cipherdose/sdk/protocol';
import type { Scaling } from '../network/fixed-point-rules.ts';
import type { FloatNetwork } from '../network/float-network.ts';
import { KeptMeans } from '../network/kept-means.ts';
import { privateChains, type PrivateChains } from '../network/private-chains.ts';
import { PrivateRules, type PrivatePrecision } from '../network/private-rules.ts';
import { privateStatistics, type PrivateStatistics } from '../network/private-statistics.ts';
import { quantise, type QuantisedNetwork } from '../network/quantise.ts';
import {
  acceptedRmsHu,
  type Candidate,
  type ChoiceOptions,
  type ParameterChoice,
} from './choose-parameters.ts';
import { lossAgainst } from './measure-loss.ts';

/** The parameter set of private mode. */
export const privateParameterSet = 'n8192-q108-t26';

/** Bits of what the client computes before the first layer. */
const inputPrecision = { activationBits: 10, keep: 1, headroom: 2 };
const { plainModulusBits } = parameterSet(privateParameterSet);
const fewestAccumulatorBits = 12;
const clampBits = [7, 8, 9, 10, 11, 12];
const outputShifts = [0, 1, 2];
/**
 * A candidate that is expected to lose more than this many times what is accepted is not measured. The guess takes no
 * notice of the zeros that ReLU makes: with four layers it was eight times too high.
 */
const hopeless = 16;
/** The second guess is measured as well if it is at most this many times what is accepted. */
const likely = 2;
/** A finer output costs bytes: it has to lose this much less, HU RMS. */
const clearlyHu = 0.01;

interface Attempt {
  readonly precision: PrivatePrecision;
  readonly quantised: QuantisedNetwork;
  readonly rules: PrivateRules;
}

/**
 * Looks for the fewest bits of accumulators with which a network stays within {@link acceptedRmsHu} of the real one in
 * private mode, and among those for the activations and the output's unit that lose least.
 * @throws PLAN_NOT_PRIVATE if private mode cannot run the network; ACCUMULATOR_BOUND, NOISE_BOUND if it does not fit
 */
export function choosePrivate(network: FloatNetwork, options: ChoiceOptions): ParameterChoice {
  const chains = privateChains(network);
  const statistics = privateStatistics(network, chains, options.calibration);
  const search = new PrivateSearch(network, chains, statistics, options);
  for (let bits = fewestAccumulatorBits; bits <= plainModulusBits; bits++) {
    const accepted = search.within(bits);
    if (accepted) return search.choice(search.finest(accepted));
  }
  const closest = search.closest();
  if (!closest) throw new DenoiseError('ACCUMULATOR_BOUND', { most: 2 ** (plainModulusBits - 1) });
  return search.choice(closest);
}

type Measured = Candidate & { readonly attempt: Attempt };

class PrivateSearch {
  readonly #network: FloatNetwork;
  readonly #chains: PrivateChains;
  readonly #statistics: PrivateStatistics;
  readonly #options: ChoiceOptions;
  readonly #lossOf: ReturnType<typeof lossAgainst>;
  readonly #means = new KeptMeans();
  readonly #measured: Measured[] = [];
  readonly #firstInput: Scaling;

  constructor(
    network: FloatNetwork,
    chains: PrivateChains,
    statistics: PrivateStatistics,
    options: ChoiceOptions,
  ) {
    this.#network = network;
    this.#chains = chains;
    this.#statistics = statistics;
    this.#options = options;
    this.#lossOf = lossAgainst(network, options.calibration, options.input, statistics.outputs);
    // With all bits that there are: what goes into the first layer does not depend on them.
    const finest = this.#attempt({
      accumulatorBits: plainModulusBits,
      clampBits: Math.min(...clampBits),
      outputShift: 0,
    });
    if (!finest?.rules.firstInput)
      throw new DenoiseError('ACCUMULATOR_BOUND', { most: 2 ** (plainModulusBits - 1) });
    this.#firstInput = finest.rules.firstInput;
  }

  /** The best two guesses for these bits, measured in turn. @returns the first that is accepted */
  within(accumulatorBits: number): Measured | undefined {
    const guesses = clampBits
      .map((bits): PrivatePrecision => ({ accumulatorBits, clampBits: bits, outputShift: 0 }))
      .map((precision) => ({ precision, rms: this.#guess(precision) ?? Infinity }))
      .filter(({ rms }) => rms <= hopeless * acceptedRmsHu)
      .toSorted((a, b) => a.rms - b.rms)
      .filter(({ rms }, i) => i === 0 || (i === 1 && rms <= likely * acceptedRmsHu));
    for (const { precision } of guesses) {
      const measured = this.#measure(precision);
      if (measured && measured.loss.rmsDifferenceHu <= acceptedRmsHu) return measured;
    }
    return undefined;
  }

  /** The unit of the output that loses least; the coarser one, unless the finer is clearly better. */
  finest(accepted: Measured): Measured {
    const candidates = outputShifts.flatMap((outputShift) =>
      outputShift === accepted.attempt.precision.outputShift
        ? [accepted]
        : (this.#measure({ ...accepted.attempt.precision, outputShift }) ?? []),
    );
    return candidates.reduce((best, candidate) =>
      candidate.loss.rmsDifferenceHu < best.loss.rmsDifferenceHu - clearlyHu ? candidate : best,
    );
  }

  /** Of all that were measured; or the best guess with all bits that there are. */
  closest(): Measured | undefined {
    if (this.#measured.length === 0) {
      for (const bits of clampBits)
        this.#measure({ accumulatorBits: plainModulusBits, clampBits: bits, outputShift: 0 });
    }
    return this.#measured.toSorted((a, b) => a.loss.rmsDifferenceHu - b.loss.rmsDifferenceHu)[0];
  }

  choice(chosen: Measured): ParameterChoice {
    const { accumulatorBits, clampBits: bits, outputShift } = chosen.attempt.precision;
    const accepted = chosen.loss.rmsDifferenceHu <= acceptedRmsHu;
    return {
      chosen,
      reason:
        `${privateParameterSet}, private: accumulators of at most ${accumulatorBits} bits, activations of ${bits}, ` +
        `output in 1/${2 ** outputShift} HU: rms ${chosen.loss.rmsDifferenceHu} HU, ` +
        (accepted
          ? `the fewest bits within ${acceptedRmsHu} HU of the real network`
          : `the closest of those that were tried, though not within ${acceptedRmsHu} HU of the real network`) +
        `; ${this.#measured.length} tried`,
    };
  }

  #guess(precision: PrivatePrecision): number | undefined {
    const rules = new PrivateRules(this.#network, this.#chains, this.#statistics, precision);
    return rules.guess(this.#firstInput);
  }

  /** @returns undefined if the network does not fit */
  #attempt(precision: PrivatePrecision): Attempt | undefined {
    const rules = new PrivateRules(this.#network, this.#chains, this.#statistics, precision);
    const { input, calibration } = this.#options;
    try {
      const quantised = quantise(this.#network, {
        parameterSet: privateParameterSet,
        input,
        calibration,
        precision: inputPrecision,
        private: rules,
        means: this.#means,
      });
      return { precision, quantised, rules };
    } catch (error) {
      const full = error instanceof DenoiseError && ['ACCUMULATOR_BOUND', 'NOISE_BOUND'].includes(error.code);
      if (full) return undefined;
      throw error;
    }
  }

  #measure(precision: PrivatePrecision): Measured | undefined {
    const { planOf, costSide } = this.#options;
    const attempt = this.#attempt(precision);
    if (!attempt) return undefined;
    const { quantised } = attempt;
    const plan = planOf(privateParameterSet, quantised);
    const checked = checkPlan({ ...plan, weightsDigest: '0'.repeat(64) });
    privateLayers(checked);
    const cost = estimateCost(checked, costSide, costSide);
    const measured: Measured = {
      attempt,
      parameterSet: privateParameterSet,
      precision: inputPrecision,
      quantised,
      loss: this.#lossOf(quantised.outputs),
      bytes: cost.bytesUp + cost.bytesDown,
    };
    this.#measured.push(measured);
    return measured;
  }
}
