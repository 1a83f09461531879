import { limits } from '@cipherdose/sdk/protocol';
import type { Expression } from './expression.ts';
import { malformed, unsupported, type Lowering } from './lowering.ts';
import { floatOf, integerOf, valueAt } from './operands.ts';
import { guidedNonLocalMeansOperator, type OnnxNode } from './read-graph.ts';

/**
 * NonLocalMeans(image, deviation) and GuidedNonLocalMeans(image, deviation, guide) with the attributes search, patch and
 * strength; see FloatNonLocalMeans.
 */
export function lowerNonLocalMeans(node: OnnxNode, lowering: Lowering): Expression {
  const names = ['image', 'deviation', ...(node.operator === guidedNonLocalMeansOperator ? ['guide'] : [])];
  const inputs = names.map((_, index) => lowering.plain(valueAt(node, index, lowering)));
  const [{ channels, height, width }] = inputs as [Expression];
  for (const [i, input] of inputs.entries())
    if (input.channels !== channels || input.height !== height || input.width !== width)
      throw malformed(node, `the ${names[i]} does not have the shape of the image`);
  const search = sideOf(node, 'search', limits.searchSide);
  const patch = sideOf(node, 'patch', limits.patchSide);
  const strength = floatOf(node, 'strength', Number.NaN);
  if (!(strength > 0 && Number.isFinite(strength))) throw malformed(node, 'strength is not positive');
  if (strength < leastStrength || strength > mostStrength)
    throw unsupported(node, `strength of ${leastStrength} to ${mostStrength}`);
  const from = inputs.map((input) => input.node) as [string, string, ...string[]];
  const name = lowering.name('nonLocalMeans');
  return lowering.emit(
    { op: 'nonLocalMeans', name, inputs: from, search, patch, strength },
    channels,
    height,
    width,
  );
}

// Weights stand in a table: below, it would need more than limits.patchWeights, above, its steps would be too coarse.
const leastStrength = 0.5;
const mostStrength = 16;

function sideOf(node: OnnxNode, attribute: string, most: number): number {
  const side = integerOf(node, attribute, 0);
  if (!Number.isInteger(side) || side < 1 || side % 2 === 0)
    throw malformed(node, `${attribute} is not an odd side`);
  if (side > most) throw unsupported(node, `${attribute} up to ${most}`);
  return side;
}
