import { modelType } from '#server/onnx/onnx-schema.js';

type AttributeValue = number | string | readonly number[] | { readonly float: number };

export interface TensorFields {
  readonly name?: string;
  readonly dims: readonly number[];
  /** A Float32Array goes in as raw bytes, as exporters write weights. */
  readonly values: readonly number[] | Float32Array;
  /** 'int64' or 'float', the default. */
  readonly type?: 'float' | 'int64';
}

export interface NodeFields {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly output: string;
  /** After the first. */
  readonly moreOutputs?: readonly string[];
  readonly domain?: string;
  /** Whole numbers are ints, `{ float }` a float, lists ints. */
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
}

export interface FileFields {
  readonly nodes: readonly NodeFields[];
  readonly tensors?: readonly TensorFields[];
  readonly inputDims?: readonly number[];
  readonly inputs?: readonly string[];
  readonly output?: string;
  readonly opset?: number;
}

/** An ONNX file with input `hu` and output `denoised`; sizes of 0 are open. */
export function onnxFile(fields: FileFields): Uint8Array {
  const dims = (fields.inputDims ?? [1, 1, 16, 16]).map((dimValue) =>
    dimValue === 0 ? { dimParam: 'open' } : { dimValue },
  );
  const valueInfo = (name: string) => ({
    name,
    type: { tensorType: { elementType: 1, shape: { dim: dims } } },
  });
  const model = {
    opsetImport: [{ version: fields.opset ?? 13 }],
    graph: {
      node: fields.nodes.map((node, i) => ({
        input: node.inputs,
        output: [node.output, ...(node.moreOutputs ?? [])],
        name: `/${node.op}_${i}`,
        opType: node.op,
        ...(node.domain === undefined ? {} : { domain: node.domain }),
        attribute: Object.entries(node.attributes ?? {}).map(([name, value]) => ({
          name,
          ...attribute(value),
        })),
      })),
      initializer: (fields.tensors ?? []).map(tensor),
      input: (fields.inputs ?? ['hu']).map(valueInfo),
      output: [valueInfo(fields.output ?? 'denoised')],
    },
  };
  // The IR version, which import does not read and onnxruntime wants.
  return Buffer.concat([Uint8Array.of(8, 7), modelType.encode(modelType.fromObject(model)).finish()]);
}

function attribute(value: AttributeValue): object {
  if (typeof value === 'number') return { i: value, type: 2 };
  if (typeof value === 'string') return { s: new TextEncoder().encode(value), type: 3 };
  return 'float' in value ? { f: value.float, type: 1 } : { ints: value, type: 7 };
}

function tensor({ name, dims, values, type = 'float' }: TensorFields): object {
  if (values instanceof Float32Array)
    return {
      name,
      dims,
      dataType: 1,
      rawData: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    };
  const data = type === 'float' ? { dataType: 1, floatData: values } : { dataType: 7, int64Data: values };
  return { name, dims, ...data };
}

/** A 3x3 convolution with all weights equal, from `input` to `output`, and its tensors. */
export function meanConvolution(
  input: string,
  output: string,
  channels: readonly [number, number] = [1, 1],
  weight = 1 / 9,
): { readonly node: NodeFields; readonly tensors: readonly TensorFields[] } {
  const [from, to] = channels;
  return {
    node: {
      op: 'Conv',
      inputs: [input, `${output}.weight`, `${output}.bias`],
      output,
      attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1] },
    },
    tensors: [
      { name: `${output}.weight`, dims: [to, from, 3, 3], values: Array<number>(to * from * 9).fill(weight) },
      { name: `${output}.bias`, dims: [to], values: Array<number>(to).fill(0.5) },
    ],
  };
}
