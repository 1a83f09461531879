import { evaluatedInputs, type FloatActivation, type FloatNetwork, type FloatNode } from './float-network.ts';

/**
 * How the integers of a value are laid out:
 * - `channelwise`: few bits, a scale of its own for each channel, which the next layer's weights take in;
 * - `fine`: more bits, a scale of its own for each channel: what a convolution of the client takes;
 * - `common`: few bits, one scale;
 * - `wide`: more bits, one scale: what a polynomial or another activation takes;
 * - `output`: as fine as the output needs, one scale: what only shuffles and sums separate from the output.
 */
export type Form = 'channelwise' | 'fine' | 'common' | 'wide' | 'output';

/** Whether every channel of a value may have a scale of its own. */
export const isPerChannel = (form: Form): boolean => form === 'channelwise' || form === 'fine';

type Need = 'linear' | 'convolution' | 'shared' | 'polynomial' | 'output';

/** A change of scale alone changes no integer. */
export const isScaling = (node: FloatNode): node is FloatActivation =>
  node.op === 'activation' &&
  node.positive.length === 1 &&
  node.positive[0] === node.negative[0] &&
  (node.positive[0] as number) > 0 &&
  node.low === -Infinity &&
  node.high === Infinity;

/** The form of every value, by name: what all that use it can take. */
export function valueForms(network: FloatNetwork): ReadonlyMap<string, Form> {
  const needs = new Map<string, Set<Need>>([[network.output, new Set<Need>(['output'])]]);
  const needsOf = (name: string): Set<Need> => {
    const found = needs.get(name) ?? new Set<Need>();
    needs.set(name, found);
    return found;
  };
  for (const node of network.nodes.toReversed())
    for (const input of evaluatedInputs(node))
      for (const need of needsOfInput(node, needsOf(node.name))) needsOf(input).add(need);
  return new Map([...needs].map(([name, of]) => [name, formFor(of)]));
}

/** How much one unit of a value of form `output` changes the output, by name. */
export function outputGains(network: FloatNetwork): ReadonlyMap<string, number> {
  const gains = new Map([[network.output, 1]]);
  for (const node of network.nodes.toReversed()) {
    const own = gains.get(node.name) ?? 0;
    evaluatedInputs(node).forEach((input, i) => {
      const factor = node.op === 'add' ? node.multipliers[i] : isScaling(node) ? node.positive[0] : 1;
      gains.set(input, Math.max(gains.get(input) ?? 0, own * Math.abs(factor ?? 1)));
    });
  }
  return gains;
}

function needsOfInput(node: FloatNode, own: ReadonlySet<Need>): Iterable<Need> {
  if (node.op === 'linear' || node.op === 'polynomial' || node.op === 'convolution') return [node.op];
  if (node.op === 'function' || node.op === 'product' || node.op === 'nonLocalMeans') return ['polynomial'];
  if (node.op === 'activation') return isScaling(node) ? own : [];
  // These leave every channel its own scale.
  if (['concat', 'select', 'pad', 'broadcast'].includes(node.op)) return own;
  if (node.op === 'pool') return node.kind !== 'max' && own.size === 0 ? ['polynomial'] : own;
  if (node.op === 'globalPool') return own.size === 0 ? ['polynomial'] : own;
  // What passes through a shuffle or a sum needs one scale for all channels, which polynomials and outputs need anyway.
  if (own.size === 0) return ['polynomial'];
  return Array.from(own, (need) =>
    need === 'linear' ? 'shared' : need === 'convolution' ? 'polynomial' : need,
  );
}

function formFor(needs: ReadonlySet<Need>): Form {
  if (needs.has('shared')) return 'common';
  const others = needs.size - (needs.has('convolution') ? 1 : 0);
  if (needs.has('linear')) return others === 1 ? 'channelwise' : 'common';
  if (others === 0 && needs.size > 0) return 'fine';
  return needs.has('output') && needs.size === 1 ? 'output' : 'wide';
}
