import { limits } from '@cipherdose/sdk/protocol';
import { integers } from './arbitraries.ts';
import type { FileFields, NodeFields, TensorFields } from './onnx-file.ts';

interface Value {
  readonly name: string;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

type Sides = readonly [number, number];

/** Layers of a random kind that follow each other, at a size that goes down and up again. */
class RandomGraph {
  readonly nodes: NodeFields[] = [];
  readonly tensors: TensorFields[] = [];
  readonly #next: (low: number, high: number) => number;
  readonly #side: number;

  constructor(seed: number, side: number) {
    this.#next = integers(seed);
    this.#side = side;
  }

  /** HU to a few channels of values around 1. */
  begin(): Value {
    const image = { name: 'hu', channels: 1, height: this.#side, width: this.#side };
    const weights = this.#real([3, 1, 3, 3], 1 / 250);
    const name = this.#node('Conv', ['hu', weights, this.#list([0.2, -0.1, 0.3])], { pads: [1, 1, 1, 1] });
    return { ...image, name, channels: 3 };
  }

  /** Back to one channel of HU, of the size of the image. */
  end({ name, channels, height, width }: Value): FileFields {
    const strides = [this.#side / height, this.#side / width] as const;
    const weights = this.#real([channels, 1, ...strides], 100);
    this.nodes.push({
      op: 'ConvTranspose',
      inputs: [name, weights],
      output: 'denoised',
      attributes: { strides },
    });
    const inputDims = [1, 1, this.#side, this.#side];
    return { opset: 14, nodes: this.nodes, tensors: this.tensors, inputDims };
  }

  /** @param seen values of before, for skips */
  layer(value: Value, seen: readonly Value[]): Value {
    const kinds = [
      () => this.#convolution(value),
      () => this.#transposed(value),
      () => this.#pool(value),
      () => this.#slices(value),
      () => this.#frame(value),
      () => this.#repeated(value),
      () => this.#gathered(value),
      () => this.#attention(value),
      () => this.#branches(value),
      () => this.#skip(value, seen),
      () => this.#gate(value),
      () => this.#normal(value),
      () => this.#like(value, this.#node(this.#pick('Relu', 'Sigmoid', 'Tanh', 'HardSwish'), [value.name])),
      () => this.#like(value, this.#node('Softmax', [value.name], { axis: 1 })),
      () => this.#like(value, this.#node('PRelu', [value.name, this.#real([value.channels, 1, 1], 1)])),
    ];
    return this.#pick(...kinds)();
  }

  #convolution({ name, channels, height, width }: Value): Value {
    const [down, across] = this.#smaller(height, width);
    const outer = this.#next(1, 5);
    const weights = this.#real([outer, channels, this.#next(1, 4), this.#next(1, 4)], 2);
    const attributes = { strides: [down, across], auto_pad: this.#pick('SAME_UPPER', 'SAME_LOWER') };
    const convolved = this.#node('Conv', [name, weights], attributes);
    return { name: convolved, channels: outer, height: height / down, width: width / across };
  }

  #transposed({ name, channels, height, width }: Value): Value {
    const [down, across] = this.#larger(height, width);
    const outer = this.#next(1, 4);
    const weights = this.#real([channels, outer, this.#next(2, 4), this.#next(2, 4)], 2);
    const size = [height * down, width * across] as const;
    const pads = this.#pick({ auto_pad: 'SAME_UPPER' }, { auto_pad: 'SAME_LOWER' }, { output_shape: size });
    const large = this.#node('ConvTranspose', [name, weights], { strides: [down, across], ...pads });
    return { name: large, channels: outer, height: size[0], width: size[1] };
  }

  #pool(value: Value): Value {
    const [down, across] = this.#smaller(value.height, value.width);
    const attributes = {
      kernel_shape: [this.#next(down, 4), this.#next(across, 4)],
      strides: [down, across],
      auto_pad: this.#pick('SAME_UPPER', 'SAME_LOWER'),
    };
    const pooled = this.#pick(
      () => this.#node('MaxPool', [value.name], attributes),
      () => this.#node('AveragePool', [value.name], { ...attributes, count_include_pad: this.#next(0, 1) }),
    )();
    return { ...value, name: pooled, height: value.height / down, width: value.width / across };
  }

  /** Every other or third row or column: all of these maps, or one of them. */
  #slices(value: Value): Value {
    const [axis, step] = [this.#next(2, 3), this.#next(2, 3)];
    const { channels, height, width } = value;
    if (!this.#mayShrink(axis === 2 ? height : width, step)) return value;
    const parts = Array.from({ length: step }, (_, first) =>
      this.#node('Slice', [
        value.name,
        ...[[first], [2 ** 31], [axis], [step]].map((list) => this.#whole(list)),
      ]),
    );
    const all = this.#next(0, 1) === 1;
    return {
      name: all ? this.#node('Concat', parts, { axis: 1 }) : this.#pick(...parts),
      channels: all ? channels * step : channels,
      height: axis === 2 ? height / step : height,
      width: axis === 3 ? width / step : width,
    };
  }

  /** Some rows and columns less, and as many more of another kind. */
  #frame(value: Value): Value {
    const { height, width } = value;
    if (Math.min(height, width) < 8) return value;
    const top = this.#next(0, 3);
    const ranges = [
      [top, 1],
      [height - 1, width],
      [2, 3],
    ].map((list) => this.#whole(list));
    const cut = this.#node('Slice', [value.name, ...ranges]);
    const pads = this.#whole([0, 0, top, 1, 0, 0, 1, 0]);
    const mode = this.#pick('constant', 'edge', 'reflect');
    return this.#like(value, this.#node('Pad', [cut, pads], { mode }));
  }

  #repeated(value: Value): Value {
    const [down, across] = this.#larger(value.height, value.width);
    const large = this.#node('Resize', [value.name, '', this.#list([1, 1, down, across])], {
      mode: 'nearest',
      coordinate_transformation_mode: 'asymmetric',
      nearest_mode: 'floor',
    });
    return { ...value, name: large, height: value.height * down, width: value.width * across };
  }

  #gathered(value: Value): Value {
    const { channels } = value;
    const some = Array.from({ length: this.#next(1, 4) }, () => this.#next(-channels, channels - 1));
    const gathered = this.#node('Gather', [value.name, this.#whole(some)], { axis: 1 });
    return { ...value, name: gathered, channels: some.length };
  }

  /** Weights of the channels, from their means. */
  #attention(value: Value): Value {
    const { channels } = value;
    const means = this.#node('GlobalAveragePool', [value.name]);
    const mixed = this.#node('Conv', [means, this.#real([channels, channels, 1, 1], 2)]);
    const shares = this.#node('Softmax', [mixed], { axis: 1 });
    return this.#like(value, this.#node(this.#pick('Mul', 'Add'), [value.name, shares]));
  }

  /** Several maps along an axis of their own, weighed perhaps, and one of them again. */
  #branches(value: Value): Value {
    const outer = this.#next(1, 4);
    const axis = this.#next(1, 2);
    const axes = this.#whole([axis]);
    const maps = Array.from({ length: this.#next(2, 3) }, () =>
      this.#node('Conv', [value.name, this.#real([outer, value.channels, 1, 1], 2)]),
    );
    const apart = maps.map((map) => this.#node('Unsqueeze', [map, axes]));
    const all = this.#node('Concat', apart, { axis });
    const weighed = this.#next(0, 1) === 1 ? this.#node('Softmax', [all], { axis }) : all;
    const one = this.#pick(
      () => this.#node('ReduceSum', [weighed, axes], { keepdims: 0 }),
      () =>
        this.#node(this.#pick('ReduceMax', 'ReduceMean', 'ReduceMin'), [weighed], {
          axes: [axis],
          keepdims: 0,
        }),
    )();
    return { ...value, name: one, channels: outer };
  }

  #skip(value: Value, seen: readonly Value[]): Value {
    const shape = ({ channels, height, width }: Value): string => `${channels}x${height}x${width}`;
    const alike = seen.find((one) => shape(one) === shape(value)) ?? value;
    return this.#like(value, this.#node('Add', [value.name, alike.name]));
  }

  #gate(value: Value): Value {
    return this.#like(value, this.#node('Mul', [value.name, this.#node('Sigmoid', [value.name])]));
  }

  #normal(value: Value): Value {
    const each = (number: () => number): string => this.#list(Array.from({ length: value.channels }, number));
    const statistics = [
      each(() => this.#next(5, 15) / 10),
      each(() => 0.1),
      each(() => 0.05),
      each(() => 0.8),
    ];
    return this.#like(value, this.#node('BatchNormalization', [value.name, ...statistics]));
  }

  #like(value: Value, name: string): Value {
    return { ...value, name };
  }

  /** Whether a size divides, and the way back is not too long for one layer. */
  #mayShrink(size: number, step: number): boolean {
    return size % step === 0 && this.#side / (size / step) <= limits.stride;
  }

  /** Strides that divide the size. */
  #smaller(height: number, width: number): Sides {
    const stride = (size: number): number => (this.#mayShrink(size, 2) ? this.#next(1, 2) : 1);
    return [stride(height), stride(width)];
  }

  /** Factors from which the image's size can still be reached. */
  #larger(height: number, width: number): Sides {
    const factor = (size: number): number => (this.#side % (2 * size) === 0 ? this.#next(1, 2) : 1);
    return [factor(height), factor(width)];
  }

  #pick<T>(...list: readonly T[]): T {
    return list[this.#next(0, list.length - 1)] as T;
  }

  #node(op: string, inputs: readonly string[], attributes: NodeFields['attributes'] = {}): string {
    const output = `v${this.nodes.length}`;
    this.nodes.push({ op, inputs, output, attributes });
    return output;
  }

  #tensor(fields: Omit<TensorFields, 'name'>): string {
    const name = `t${this.tensors.length}`;
    this.tensors.push({ name, ...fields });
    return name;
  }

  #list(values: readonly number[]): string {
    return this.#tensor({ dims: [values.length], values });
  }

  #whole(values: readonly number[]): string {
    return this.#tensor({ dims: [values.length], values, type: 'int64' });
  }

  /** Random weights: an output of so many of them is about as large as `gain` inputs. */
  #real(dims: readonly number[], gain: number): string {
    const count = dims.reduce((product, dim) => product * dim, 1);
    const bound = gain / Math.sqrt(count / (dims[0] as number));
    const values = Array.from({ length: count }, () => (this.#next(-1000, 1000) / 1000) * bound);
    return this.#tensor({ dims, values });
  }
}

/** An ONNX file of some random layers, of an image of `side` x `side`. */
export function randomGraph(seed: number, side: number, layers: number): FileFields {
  const graph = new RandomGraph(seed, side);
  const values = [graph.begin()];
  for (let layer = 0; layer < layers; layer++) values.push(graph.layer(values.at(-1) as Value, values));
  return graph.end(values.at(-1) as Value);
}
