import { DenoiseError } from '../errors/index.ts';
import {
  inputsOf,
  isPrivateSet,
  parameterSet,
  type LinearNode,
  type Plan,
  type PlanNode,
  type RequantiseNode,
} from '../protocol/index.ts';
import { checkActivation, type ActivationParameters } from '../two-party/activation-parameters.ts';

/** One linear layer of a plan for private mode, with what two parties do to its accumulators. */
export interface PrivateLayer {
  readonly node: LinearNode;
  readonly requantise: RequantiseNode;
  readonly activation: ActivationParameters;
  /**
   * Of the last layer, whose result has a sign: y + offset * 2^shift is activated, and offset taken off the result. 0 of
   * the others.
   */
  readonly offset: number;
}

const largestShift = 16;
const mostClampBits = 12;

/**
 * The linear layers of a plan in order, if it can run in private mode: one chain of linear layers, each followed by one
 * requantise whose multipliers are all 1. Between two layers that is min(max(0, round(y / 2^s)), 2^b - 1); after the last
 * one a clamp to [-2^(b-1), 2^(b-1) - 1]. What goes into the first layer and what follows the last is public, and up to
 * the client.
 * @throws PLAN_NOT_PRIVATE with the node and the reason
 */
export function privateLayers(plan: Plan): readonly PrivateLayer[] {
  const set = parameterSet(plan.parameterSet);
  if (!isPrivateSet(set))
    throw new DenoiseError('PLAN_NOT_PRIVATE', {
      node: plan.output,
      reason: `the parameter set ${set.name} has no room for masks`,
    });
  const linear = plan.nodes.filter((node) => node.op === 'linear');
  return linear.map((node, i) => {
    const requantise = onlyUse(plan, node);
    if (requantise.op !== 'requantise')
      throw refused(requantise, `a ${requantise.op} takes what only a requantise may take`);
    const next = linear[i + 1];
    if (next && onlyUse(plan, requantise) !== next)
      throw refused(requantise, 'its result is not the input of the next linear layer alone');
    return next
      ? layerOf(node, requantise, hiddenClampBits(requantise), 0, set.plainModulusBits)
      : lastLayer(node, requantise, set.plainModulusBits);
  });
}

/** The one node that takes a value; nobody else may see it. */
function onlyUse(plan: Plan, node: PlanNode): PlanNode {
  const users = plan.nodes.filter((user) => inputsOf(user).includes(node.name));
  const [user] = users;
  if (!user || users.length > 1 || plan.output === node.name)
    throw refused(node, 'its result has to go into one node and nowhere else');
  return user;
}

function hiddenClampBits(node: RequantiseNode): number {
  checkMultipliers(node, 0);
  const bits = Math.log2(node.high + 1);
  if (node.low !== 0 || !Number.isInteger(bits) || bits < 1 || bits > mostClampBits)
    throw refused(node, `between two layers the range has to be 0..2^b-1 with b at most ${mostClampBits}`);
  return bits;
}

function lastLayer(node: LinearNode, requantise: RequantiseNode, plainModulusBits: number): PrivateLayer {
  checkMultipliers(requantise, 1);
  const bits = Math.log2(requantise.high + 1) + 1;
  const valid =
    Number.isInteger(bits) && bits >= 1 && bits <= mostClampBits && requantise.low === -requantise.high - 1;
  if (!valid)
    throw refused(
      requantise,
      `after the last layer the range has to be -2^(b-1)..2^(b-1)-1 with b at most ${mostClampBits}`,
    );
  return layerOf(node, requantise, bits, 2 ** (bits - 1), plainModulusBits);
}

function checkMultipliers(node: RequantiseNode, negative: 0 | 1): void {
  if (node.positive.some((multiplier) => multiplier !== 1))
    throw refused(node, 'its multipliers have to be 1');
  if (node.negative.some((multiplier) => multiplier !== negative))
    throw refused(
      node,
      negative === 0
        ? 'between two layers it has to be a ReLU: its multipliers below 0 have to be 0'
        : 'after the last layer its multipliers below 0 have to be 1',
    );
  if (node.shift < 1 || node.shift > largestShift)
    throw refused(node, `its shift has to be 1..${largestShift}`);
}

/** With the fewest bits of accumulators for which the activation is exact. */
function layerOf(
  node: LinearNode,
  requantise: RequantiseNode,
  clampBits: number,
  offset: number,
  plainModulusBits: number,
): PrivateLayer {
  const { shift } = requantise;
  for (let bits = shift + clampBits + 2; bits <= plainModulusBits; bits++) {
    const outputBits = offset === 0 ? plainModulusBits : bits - shift + 1;
    const activation = activationOf(bits, shift, clampBits, outputBits);
    if (activation && node.accumulatorBound <= largestMagnitude(activation, offset))
      return { node, requantise, activation, offset };
  }
  throw refused(
    node,
    `its accumulators, up to ${node.accumulatorBound}, do not fit into ${plainModulusBits} bits`,
  );
}

/**
 * The largest |y| of a layer for which private mode is exact.
 * @param last whether the result has a sign
 * @returns undefined if two parties cannot do it
 */
export function largestAccumulator(
  accumulatorBits: number,
  shift: number,
  clampBits: number,
  last: boolean,
): number | undefined {
  const activation = activationOf(accumulatorBits, shift, clampBits, accumulatorBits - shift + 1);
  const magnitude = activation && largestMagnitude(activation, last ? 2 ** (clampBits - 1) : 0);
  return magnitude !== undefined && magnitude > 0 ? magnitude : undefined;
}

function largestMagnitude({ lowest, highest, shift }: ActivationParameters, offset: number): number {
  const added = offset * 2 ** shift;
  return Math.min(added - lowest, highest - added);
}

/** @returns undefined if two parties cannot do it in the rounds there are */
function activationOf(
  accumulatorBits: number,
  shift: number,
  clampBits: number,
  outputBits: number,
): ActivationParameters | undefined {
  try {
    return checkActivation({ accumulatorBits, shift, clampBits, outputBits, rounding: 'half-up' });
  } catch (error) {
    if (error instanceof DenoiseError && error.code === 'TWO_PARTY_PARAMETERS') return undefined;
    throw error;
  }
}

const refused = (node: PlanNode, reason: string): DenoiseError =>
  new DenoiseError('PLAN_NOT_PRIVATE', { node: node.name, op: node.op, reason });
