import { limits } from '@cipherdose/sdk/protocol';
import { viewed, type Viewed } from './arrange.ts';
import { malformed, unsupported, type Lowering, type Meaning } from './lowering.ts';
import { constantAt, integerOf, integersOf, textOf, valueAt, viewedAt } from './operands.ts';
import type { OnnxNode } from './read-graph.ts';
import { dimsOf, imageView, reshaped, type View } from './view.ts';

/** DepthToSpace and SpaceToDepth, in every order of channels that ONNX has. */
export function lowerSpaceDepth(node: OnnxNode, lowering: Lowering): Viewed {
  const value = valueAt(node, 0, lowering);
  const factor = integerOf(node, 'blocksize', 0);
  if (!Number.isInteger(factor) || factor < 2 || factor > limits.shuffleFactor)
    throw unsupported(node, `factors of 2 to ${limits.shuffleFactor}`);
  const { channels: c, height: h, width: w } = value;
  const [split, order, joined] = ((): [number[], number[], number[]] => {
    if (node.operator === 'SpaceToDepth')
      return [
        [1, c, h / factor, factor, w / factor, factor],
        [0, 3, 5, 1, 2, 4],
        [1, c * factor ** 2, h / factor, w / factor],
      ];
    const rest = c / factor ** 2;
    const large = [1, rest, h * factor, w * factor];
    return textOf(node, 'mode', 'DCR') === 'CRD'
      ? [[1, rest, factor, factor, h, w], [0, 1, 4, 2, 5, 3], large]
      : [[1, factor, factor, rest, h, w], [0, 3, 4, 1, 5, 2], large];
  })();
  if (!joined.every(Number.isInteger))
    throw malformed(node, `sizes ${c}x${h}x${w} do not divide by ${factor}`);
  const view = reshaped(transposed(reshaped(imageView(value), split) ?? [], order), joined) ?? [];
  return viewed(value, view, node, lowering);
}

/** Flatten: two dimensions, those before an axis and the others. */
export function lowerFlatten(node: OnnxNode, lowering: Lowering): Meaning {
  const { value, view } = viewedAt(node, 0, lowering);
  const given = integerOf(node, 'axis', 1);
  const axis = given < 0 ? given + view.length : given;
  if (!(axis >= 0 && axis <= view.length)) throw malformed(node, `axis ${given}`);
  const dims = dimsOf(view);
  const all = (sizes: readonly number[]): number => sizes.reduce((product, size) => product * size, 1);
  const result = reshaped(view, [all(dims.slice(0, axis)), all(dims.slice(axis))]);
  return viewed(value, result as View, node, lowering);
}

/** Reshape. */
export function lowerReshape(node: OnnxNode, lowering: Lowering): Meaning {
  const { value, view } = viewedAt(node, 0, lowering);
  const shape = constantAt(node, 1, lowering);
  if (!shape || shape.data.length > 8) throw unsupported(node, 'a constant shape of up to 8 dimensions');
  const result = reshaped(view, resolve(node, [...shape.data], dimsOf(view)));
  if (!result) throw unsupported(node, 'shapes that split or join whole axes');
  return viewed(value, result, node, lowering);
}

/** A Reshape's target with its 0 (keep) and -1 (infer) replaced. */
function resolve(node: OnnxNode, shape: readonly number[], dims: readonly number[]): number[] {
  const total = dims.reduce((product, dim) => product * dim, 1);
  const kept = shape.map((dim, i) => (dim === 0 ? (dims[i] ?? 0) : dim));
  const known = kept.filter((dim) => dim !== -1).reduce((product, dim) => product * dim, 1);
  const resolved = kept.map((dim) => (dim === -1 ? total / known : dim));
  const sane = resolved.every((dim) => Number.isInteger(dim) && dim >= 1);
  if (!sane || kept.filter((dim) => dim === -1).length > 1 || resolved.reduce((a, b) => a * b, 1) !== total)
    throw malformed(node, `shape ${shape.join('x')}`);
  return resolved;
}

/** Squeeze and Unsqueeze; axes as input (opset 13 on) or as attribute. */
export function lowerSqueeze(node: OnnxNode, lowering: Lowering): Meaning {
  const { value, view } = viewedAt(node, 0, lowering);
  const constant = constantAt(node, 1, lowering);
  const given = constant ? [...constant.data] : integersOf(node, 'axes', []);
  const dims = dimsOf(view);
  const removes = node.operator === 'Squeeze';
  const rank = removes ? dims.length : dims.length + given.length;
  const axes = given.map((axis) => (axis < 0 ? axis + rank : axis));
  if (axes.some((axis) => !(axis >= 0 && axis < rank)) || rank > 8)
    throw malformed(node, `axes ${given.join(',')}`);
  if (removes) {
    const gone = (dim: number, axis: number): boolean =>
      given.length === 0 ? dim === 1 : axes.includes(axis);
    if (dims.some((dim, axis) => gone(dim, axis) && dim !== 1))
      throw malformed(node, `axes ${given.join(',')}`);
    return viewed(
      value,
      view.filter((_, axis) => !gone(dims[axis] as number, axis)),
      node,
      lowering,
    );
  }
  const left = [...view];
  const result = Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? [] : (left.shift() ?? [])));
  return viewed(value, result, node, lowering);
}

const transposed = (view: View, order: readonly number[]): View => order.map((axis) => view[axis] ?? []);

/** Transpose. */
export function lowerTranspose(node: OnnxNode, lowering: Lowering): Meaning {
  const { value, view } = viewedAt(node, 0, lowering);
  const order = integersOf(
    node,
    'perm',
    view.map((_, i) => view.length - 1 - i),
  );
  if (String(order.toSorted((a, b) => a - b)) !== String(view.map((_, i) => i)))
    throw malformed(node, `perm ${order.join(',')}`);
  return viewed(value, transposed(view, order), node, lowering);
}
