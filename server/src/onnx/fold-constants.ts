import { DenoiseError } from '@cipherdose/sdk/errors';
import { malformed } from './lowering.ts';
import { integerOf, integersOf } from './operands.ts';
import type { OnnxNode } from './read-graph.ts';
import { readTensor, type Tensor } from './tensor.ts';

/** Elements of all tensors that a graph computes from constants. */
const mostElements = 2 ** 24;

const integerTypes = [2, 3, 4, 5, 6, 7, 9, 12, 13];

type Fold = (node: OnnxNode, inputs: readonly (Tensor | undefined)[]) => Tensor;

const count = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1);
const vector = (values: readonly number[]): Tensor => ({
  dims: [values.length],
  data: Float64Array.from(values),
  integer: true,
});

function needed(node: OnnxNode, inputs: readonly (Tensor | undefined)[], index: number): Tensor {
  const tensor = inputs[index];
  if (!tensor) throw malformed(node, `input ${index} is missing`);
  return tensor;
}

const axisOf = (node: OnnxNode, axis: number, rank: number): number => {
  const place = axis < 0 ? axis + rank : axis;
  if (!(place >= 0 && place < Math.max(1, rank))) throw malformed(node, `axis ${axis}`);
  return place;
};

/** A tensor of `dims` whose elements are those at the places that `from` gives for each index. */
function gathered(
  dims: readonly number[],
  source: Tensor,
  from: (index: readonly number[]) => number,
): Tensor {
  const data = new Float64Array(count(dims));
  const index = dims.map(() => 0);
  for (let i = 0; i < data.length; i++) {
    data[i] = source.data[from(index)] as number;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < (dims[axis] as number)) break;
      index[axis] = 0;
    }
  }
  return { dims, data, integer: source.integer };
}

const strides = (dims: readonly number[]): number[] => dims.map((_, axis) => count(dims.slice(axis + 1)));

/** The place of an index in a tensor that is broadcast to it. */
function broadcastPlace(dims: readonly number[]): (index: readonly number[]) => number {
  const steps = strides(dims);
  return (index) =>
    dims.reduce((place, dim, axis) => {
      const digit = dim === 1 ? 0 : (index[index.length - dims.length + axis] as number);
      return place + digit * (steps[axis] as number);
    }, 0);
}

const binary =
  (operation: (a: number, b: number) => number): Fold =>
  (node, inputs) => {
    const [a, b] = [needed(node, inputs, 0), needed(node, inputs, 1)];
    const rank = Math.max(a.dims.length, b.dims.length);
    const [first, second] = [a, b].map(({ dims }) => [
      ...Array<number>(rank - dims.length).fill(1),
      ...dims,
    ]) as [number[], number[]];
    const dims = first.map((dim, axis) => (dim === 1 ? (second[axis] as number) : dim));
    if (second.some((dim, axis) => dim !== 1 && dim !== dims[axis])) throw malformed(node, 'shapes differ');
    checkSize(count(dims));
    const [fromA, fromB] = [
      gathered(dims, a, broadcastPlace(a.dims)),
      gathered(dims, b, broadcastPlace(b.dims)),
    ];
    const integer = (a.integer && b.integer) ?? false;
    const data = fromA.data.map((value, i) => {
      const result = operation(value, fromB.data[i] as number);
      return integer ? Math.trunc(result) : result;
    });
    return { dims, data, integer };
  };

const unary =
  (operation: (x: number) => number): Fold =>
  (node, inputs) => {
    const { dims, data, integer } = needed(node, inputs, 0);
    return { dims, data: data.map(operation), integer };
  };

const checkSize = (elements: number): void => {
  if (!(elements <= mostElements))
    throw new DenoiseError('ONNX_UNSUPPORTED', {
      elements,
      supported: `${mostElements} elements of constants`,
    });
};

const reshape: Fold = (node, inputs) => {
  const source = needed(node, inputs, 0);
  const wanted = [...needed(node, inputs, 1).data].map((dim, i) => (dim === 0 ? (source.dims[i] ?? 0) : dim));
  const known = count(wanted.filter((dim) => dim !== -1));
  const dims = wanted.map((dim) => (dim === -1 ? source.data.length / known : dim));
  if (!dims.every((dim) => Number.isInteger(dim) && dim >= 0) || count(dims) !== source.data.length)
    throw malformed(node, `shape ${wanted.join('x')}`);
  return { ...source, dims };
};

const squeeze: Fold = (node, inputs) => {
  const source = needed(node, inputs, 0);
  const axes = inputs[1] ? [...inputs[1].data] : integersOf(node, 'axes', []);
  const { dims } = source;
  if (node.operator === 'Squeeze') {
    const gone = axes.map((axis) => axisOf(node, axis, dims.length));
    return {
      ...source,
      dims: dims.filter((dim, axis) => (axes.length === 0 ? dim !== 1 : !gone.includes(axis))),
    };
  }
  const rank = dims.length + axes.length;
  const added = axes.map((axis) => axisOf(node, axis, rank));
  const left = [...dims];
  return {
    ...source,
    dims: Array.from({ length: rank }, (_, i) => (added.includes(i) ? 1 : (left.shift() ?? 1))),
  };
};

const transpose: Fold = (node, inputs) => {
  const source = needed(node, inputs, 0);
  const { dims } = source;
  const order = integersOf(
    node,
    'perm',
    dims.map((_, i) => dims.length - 1 - i),
  );
  if (String(order.toSorted((a, b) => a - b)) !== String(dims.map((_, i) => i)))
    throw malformed(node, 'perm');
  const steps = strides(dims);
  return gathered(
    order.map((axis) => dims[axis] as number),
    source,
    (index) => index.reduce((place, digit, i) => place + digit * (steps[order[i] as number] as number), 0),
  );
};

const concatenate: Fold = (node, inputs) => {
  const tensors = inputs.map((_, i) => needed(node, inputs, i));
  const [first] = tensors as [Tensor];
  const axis = axisOf(node, integerOf(node, 'axis', 0), first.dims.length);
  const outer = count(first.dims.slice(0, axis));
  if (
    tensors.some(
      ({ dims }) =>
        dims.length !== first.dims.length || dims.some((d, i) => i !== axis && d !== first.dims[i]),
    )
  )
    throw malformed(node, 'shapes differ');
  const dims = first.dims.map((dim, i) =>
    i === axis ? tensors.reduce((sum, t) => sum + (t.dims[axis] ?? 0), 0) : dim,
  );
  checkSize(count(dims));
  const data = new Float64Array(count(dims));
  let at = 0;
  for (let block = 0; block < outer; block++)
    for (const tensor of tensors) {
      const length = tensor.data.length / outer;
      data.set(tensor.data.subarray(block * length, (block + 1) * length), at);
      at += length;
    }
  return { dims, data, integer: tensors.every((tensor) => tensor.integer) };
};

const gather: Fold = (node, inputs) => {
  const [source, indices] = [needed(node, inputs, 0), needed(node, inputs, 1)];
  const axis = axisOf(node, integerOf(node, 'axis', 0), source.dims.length);
  const size = source.dims[axis] ?? 0;
  const places = [...indices.data].map((index) => (index < 0 ? index + size : index));
  if (!places.every((place) => Number.isInteger(place) && place >= 0 && place < size))
    throw malformed(node, 'indices');
  const dims = [...source.dims.slice(0, axis), places.length, ...source.dims.slice(axis + 1)];
  checkSize(count(dims));
  const steps = strides(source.dims);
  const result = gathered(dims, source, (index) =>
    index.reduce(
      (sum, digit, i) => sum + (i === axis ? (places[digit] as number) : digit) * (steps[i] as number),
      0,
    ),
  );
  return { ...result, dims: [...dims.slice(0, axis), ...indices.dims, ...dims.slice(axis + 1)] };
};

const slice: Fold = (node, inputs) => {
  const source = needed(node, inputs, 0);
  const list = (index: number, attribute: string): number[] =>
    inputs[index] ? [...inputs[index].data] : [...integersOf(node, attribute, [])];
  const [starts, ends] = [list(1, 'starts'), list(2, 'ends')];
  const axes = list(3, 'axes');
  const steps = list(4, 'steps');
  const first = source.dims.map(() => 0);
  const step = source.dims.map(() => 1);
  const dims = [...source.dims];
  starts.forEach((start, i) => {
    const axis = axisOf(node, axes[i] ?? i, dims.length);
    const size = source.dims[axis] as number;
    const by = steps[i] ?? 1;
    if (!Number.isInteger(by) || by === 0) throw malformed(node, 'steps');
    const within = (place: number, low: number, high: number): number =>
      Math.max(low, Math.min(high, place < 0 ? place + size : place));
    const [from, to] =
      by > 0
        ? [within(start, 0, size), within(ends[i] ?? size, 0, size)]
        : [within(start, 0, size - 1), within(ends[i] ?? -size - 1, -1, size - 1)];
    [first[axis], step[axis]] = [from, by];
    dims[axis] = Math.max(0, Math.ceil((to - from) / by));
  });
  const places = strides(source.dims);
  return gathered(dims, source, (index) =>
    index.reduce(
      (sum, digit, i) => sum + ((first[i] as number) + digit * (step[i] as number)) * (places[i] as number),
      0,
    ),
  );
};

const constantOfShape: Fold = (node, inputs) => {
  const dims = [...needed(node, inputs, 0).data];
  if (!dims.every((dim) => Number.isInteger(dim) && dim >= 0)) throw malformed(node, 'shape');
  checkSize(count(dims));
  const value = node.attributes.get('value')?.t;
  const filler = value ? readTensor(value, node.name).data : [0];
  if (filler.length !== 1) throw malformed(node, 'its value is not one number');
  const integer = value !== undefined && integerTypes.includes(value.dataType ?? 1);
  return { dims, data: new Float64Array(count(dims)).fill(filler[0] as number), integer };
};

const where: Fold = (node, inputs) => {
  const [condition, yes, no] = [0, 1, 2].map((index) => needed(node, inputs, index)) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  // No constant is NaN, so that it marks where the other one is taken.
  const chosen = binary((is, value) => (is === 0 ? Number.NaN : value))(node, [condition, yes]);
  const result = binary((value, otherwise) => (Number.isNaN(value) ? otherwise : value))(node, [
    { ...chosen, integer: false },
    { ...no, integer: false },
  ]);
  return { ...result, integer: (yes.integer && no.integer) ?? false };
};

const expand: Fold = (node, inputs) => {
  const shape = needed(node, inputs, 1);
  const ones = { dims: [...shape.data], data: new Float64Array(0) };
  if (!ones.dims.every((dim) => Number.isInteger(dim) && dim >= 0)) throw malformed(node, 'shape');
  checkSize(count(ones.dims));
  return binary((a) => a)(node, [inputs[0], { ...ones, data: new Float64Array(count(ones.dims)) }]);
};

const folds: Readonly<Record<string, Fold>> = {
  Abs: unary(Math.abs),
  Add: binary((a, b) => a + b),
  Cast: (node, inputs) => {
    const integer = integerTypes.includes(integerOf(node, 'to', 1));
    return { ...unary(integer ? Math.trunc : (x) => x)(node, inputs), integer };
  },
  Ceil: unary(Math.ceil),
  Concat: concatenate,
  ConstantOfShape: constantOfShape,
  Div: binary((a, b) => a / b),
  Equal: binary((a, b) => Number(a === b)),
  Exp: unary(Math.exp),
  Expand: expand,
  Floor: unary(Math.floor),
  Gather: gather,
  Greater: binary((a, b) => Number(a > b)),
  Identity: unary((x) => x),
  Less: binary((a, b) => Number(a < b)),
  Max: binary(Math.max),
  Min: binary(Math.min),
  Mod: binary((a, b) => a - b * Math.floor(a / b)),
  Mul: binary((a, b) => a * b),
  Neg: unary((x) => -x),
  Pow: binary((a, b) => a ** b),
  Reciprocal: unary((x) => 1 / x),
  Reshape: reshape,
  Shape: (node, inputs) => shapeTensor(node, needed(node, inputs, 0).dims),
  Slice: slice,
  Sqrt: unary(Math.sqrt),
  Squeeze: squeeze,
  Sub: binary((a, b) => a - b),
  Transpose: transpose,
  Unsqueeze: squeeze,
  Where: where,
};

/** Operators that are computed when all their inputs are constants. */
export const foldedOperators: ReadonlySet<string> = new Set(Object.keys(folds));

/**
 * The value of an operator whose inputs are constants.
 * @param inputs undefined where an optional one is left out
 * @throws ONNX_INVALID, ONNX_UNSUPPORTED
 */
export function foldConstants(node: OnnxNode, inputs: readonly (Tensor | undefined)[]): Tensor {
  const tensor = (folds[node.operator] as Fold)(node, inputs);
  checkSize(tensor.data.length);
  if (tensor.data.some(Number.isNaN)) throw malformed(node, 'its constant is not a number');
  return tensor;
}

/** Dimensions as the tensor that Shape gives. */
export const shapeTensor = (node: OnnxNode, dims: readonly number[]): Tensor =>
  vector(
    dims.slice(
      integerOf(node, 'start', 0),
      node.attributes.has('end') ? integerOf(node, 'end', 0) : undefined,
    ),
  );
