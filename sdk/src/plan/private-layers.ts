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
  /** Of the last layer only the division: its result is opened to the client, who clamps it. */
  readonly activation: ActivationParameters;
}

const largestShift = 16;
const mostClampBits = 12;

/**
 * The linear layers of a plan in order, if it can run in private mode: one chain of linear layers, each followed by one
 * requantise whose multipliers are all 1. Between two layers that is min(max(0, round(y / 2^s)), 2^b - 1); after the last
 * one round(y / 2^s), in any range. What goes into the first layer, the range of the last result and what follows it are
 * public, and up to the client.
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
    if (next) return layerOf(node, requantise, hiddenClampBits(requantise), set.plainModulusBits);
    checkMultipliers(requantise, 1);
    return layerOf(node, requantise, 'last', set.plainModulusBits);
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
  clampBits: number | 'last',
  plainModulusBits: number,
): PrivateLayer {
  const { shift } = requantise;
  const fewest = shift + 2 + (clampBits === 'last' ? 0 : clampBits);
  for (let bits = fewest; bits <= plainModulusBits; bits++) {
    const activation = activationOf(bits, shift, clampBits, plainModulusBits);
    if (activation && node.accumulatorBound <= largestMagnitude(activation))
      return { node, requantise, activation };
  }
  throw refused(
    node,
    `its accumulators, up to ${node.accumulatorBound}, do not fit into ${plainModulusBits} bits`,
  );
}

/**
 * The largest |y| of a layer for which private mode is exact.
 * @param clampBits 'last': the last layer, whose result the client clamps
 * @returns undefined if two parties cannot do it
 */
export function largestAccumulator(
  accumulatorBits: number,
  shift: number,
  clampBits: number | 'last',
): number | undefined {
  const activation = activationOf(accumulatorBits, shift, clampBits, accumulatorBits);
  const magnitude = activation && largestMagnitude(activation);
  return magnitude !== undefined && magnitude > 0 ? magnitude : undefined;
}

const largestMagnitude = ({ lowest, highest }: ActivationParameters): number => Math.min(-lowest, highest);

/** @returns undefined if two parties cannot do it in the rounds there are */
function activationOf(
  accumulatorBits: number,
  shift: number,
  clampBits: number | 'last',
  outputBits: number,
): ActivationParameters | undefined {
  const result =
    clampBits === 'last' ? { clampBits: 0, outputBits: accumulatorBits - shift } : { clampBits, outputBits };
  try {
    return checkActivation({ accumulatorBits, shift, ...result, rounding: 'half-up' });
  } catch (error) {
    if (error instanceof DenoiseError && error.code === 'TWO_PARTY_PARAMETERS') return undefined;
    throw error;
  }
}

const refused = (node: PlanNode, reason: string): DenoiseError =>
  new DenoiseError('PLAN_NOT_PRIVATE', { node: node.name, op: node.op, reason });
