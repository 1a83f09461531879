import { DenoiseError } from '@cipherdose/sdk/errors';
import {
  inputsOf,
  type FloatActivation,
  type FloatLinear,
  type FloatNetwork,
  type FloatNode,
} from './float-network.ts';
import { ofChannel } from './step-rules.ts';
import { isScaling } from './value-forms.ts';

/** What private mode does at once between two linear layers: scale, ReLU, clip. */
export interface HiddenChain {
  readonly linear: FloatLinear;
  /** The linear layer that takes the result. */
  readonly next: FloatLinear;
  /** Names of the nodes that are done at once; the last one is what `next` takes. */
  readonly nodes: readonly string[];
  /** x' = min(clip, multiplier * max(0, y)), one for each output channel. */
  readonly multipliers: readonly number[];
  /** Infinity where nothing is clipped. */
  readonly clips: readonly number[];
}

/** The linear layers of a network that private mode can run. */
export interface PrivateChains {
  /** By name of the linear layer; all but the last. */
  readonly hidden: ReadonlyMap<string, HiddenChain>;
  readonly last: FloatLinear;
}

/**
 * Finds out whether private mode can run a network: one chain of linear layers with a ReLU between each two, alone or
 * with scales above 0 and clips. What comes before the first layer and after the last is up to the client.
 * @throws PLAN_NOT_PRIVATE with the node, what it is, and the reason
 */
export function privateChains(network: FloatNetwork): PrivateChains {
  const linear = network.nodes.filter((node) => node.op === 'linear');
  const last = linear.at(-1);
  if (!last)
    throw new DenoiseError('PLAN_NOT_PRIVATE', { node: network.output, reason: 'there is no linear layer' });
  const hidden = linear
    .slice(0, -1)
    .map((node, i) => chainAfter(network, node, linear[i + 1] as FloatLinear));
  return { hidden: new Map(hidden.map((chain) => [chain.linear.name, chain])), last };
}

function chainAfter(network: FloatNetwork, linear: FloatLinear, next: FloatLinear): HiddenChain {
  const nodes: string[] = [];
  let multipliers = Array.from({ length: linear.outChannels }, () => 1);
  let clips = multipliers.map(() => Infinity);
  let rectified = false;
  for (let node = onlyUser(network, linear); node !== next; node = onlyUser(network, node)) {
    if (node.op !== 'activation') throw refused(node, reasonAgainst(node));
    const scale = (channel: number): number => ofChannel(node.positive, channel);
    if (!rectified && !isScaling(node)) {
      const reason = reasonAgainstActivation(node);
      if (reason) throw refused(node, reason);
      rectified = true;
    }
    if (node.positive.some((multiplier) => !(multiplier > 0)) || node.low > 0 || node.high <= 0)
      throw refused(node, 'only scales above 0 and clips from 0 or below can follow a ReLU');
    clips = clips.map((clip, channel) => Math.min(clip * scale(channel), node.high));
    multipliers = multipliers.map((multiplier, channel) => multiplier * scale(channel));
    nodes.push(node.name);
  }
  if (!rectified) throw refused(next, 'there is no ReLU between this layer and the one before it');
  return { linear, next, nodes, multipliers, clips };
}

/** The one node that takes a value. */
function onlyUser(network: FloatNetwork, node: FloatNode): FloatNode {
  const users = network.nodes.filter((user) => inputsOf(user).includes(node.name));
  const [user] = users;
  if (!user || users.length > 1 || network.output === node.name)
    throw refused(node, 'its result is used more than once, or is the output, before the last linear layer');
  return user;
}

function reasonAgainstActivation({ positive, negative, low }: FloatActivation): string | undefined {
  if (negative.some((multiplier) => multiplier !== 0)) {
    const leak = Math.max(...negative.map(Math.abs));
    return low === -Infinity && positive.every((multiplier) => multiplier > 0)
      ? `it lets values below 0 through (times ${leak}), like a LeakyRelu or PRelu; private mode runs Relu`
      : 'it keeps values below 0; private mode runs Relu, alone or with a Clip';
  }
  return positive.every((multiplier) => multiplier > 0) ? undefined : 'a scale below 0 turns the ReLU around';
}

const reasonAgainst = (node: FloatNode): string =>
  node.op === 'linear'
    ? 'the linear layers are not one chain'
    : node.op === 'polynomial'
      ? 'squares and other polynomials between two linear layers would show the client what it may not see'
      : `between two linear layers private mode runs Relu, alone or with a Clip, and no ${node.op}`;

const refused = (node: FloatNode, reason: string): DenoiseError =>
  new DenoiseError('PLAN_NOT_PRIVATE', { node: node.name, op: operatorOf(node), reason });

/** What a node is, in the words of ONNX where there is one. */
function operatorOf(node: FloatNode): string {
  if (node.op === 'linear') return 'Conv';
  if (node.op === 'product') return 'Mul';
  if (node.op !== 'activation') return node.op;
  if (node.negative.every((multiplier) => multiplier === 0)) return 'Relu';
  return Number.isFinite(node.low) || Number.isFinite(node.high) ? 'Clip' : 'LeakyRelu';
}
