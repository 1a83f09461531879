import { DenoiseError } from '@cipherdose/sdk/errors';
import type { TensorProto } from './onnx-schema.ts';

/** A constant of the graph. Integers are kept as doubles: shapes and pads need no more. */
export interface Tensor {
  readonly dims: readonly number[];
  readonly data: Float64Array;
  /** Whole numbers, whose quotients are whole. */
  readonly integer?: boolean | undefined;
}

const mostElements = 2 ** 24;
const dataTypes: Readonly<
  Record<number, { readonly bytes: number; readonly read: (view: DataView, at: number) => number }>
> = {
  1: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  6: { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  9: { bytes: 1, read: (view, at) => view.getUint8(at) },
  10: { bytes: 2, read: (view, at) => halfFloat(view.getUint16(at, true)) },
  7: { bytes: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  11: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
};

/** A number of the IEEE 754 format binary16. */
function halfFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15));
}

/** @throws ONNX_INVALID, ONNX_UNSUPPORTED */
export function readTensor(proto: TensorProto, name: string): Tensor {
  const invalid = (reason: string): DenoiseError =>
    new DenoiseError('ONNX_INVALID', { tensor: name, reason });
  if (proto.externalData.length > 0 || proto.dataLocation === 1)
    throw invalid('its data is in another file; save the model as a single file');
  const count = proto.dims.reduce((product, dim) => product * dim, 1);
  const sane = proto.dims.length <= 8 && proto.dims.every((dim) => Number.isInteger(dim) && dim >= 0);
  if (!sane || count > mostElements) throw invalid(`dimensions ${proto.dims.join('x')}`);
  const type = dataTypes[proto.dataType ?? 0];
  if (!type)
    throw new DenoiseError('ONNX_UNSUPPORTED', {
      tensor: name,
      dataType: proto.dataType ?? 0,
      supported: 'float16, float32, float64, int32, int64, bool',
    });
  const data = proto.rawData?.length ? readRaw(proto.rawData, type, count) : Float64Array.from(listOf(proto));
  if (data?.length !== count) throw invalid('its data does not have the length of its dimensions');
  if (data.some(Number.isNaN)) throw invalid('it holds a value that is not a number');
  return { dims: proto.dims, data, integer: [6, 7].includes(proto.dataType ?? 0) };
}

function readRaw(raw: Uint8Array, type: (typeof dataTypes)[number], count: number): Float64Array | undefined {
  if (raw.length !== count * type.bytes) return undefined;
  const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
  return Float64Array.from({ length: count }, (_, i) => type.read(view, i * type.bytes));
}

function listOf(proto: TensorProto): readonly number[] {
  switch (proto.dataType) {
    case 1:
      return proto.floatData;
    case 6:
    case 9:
      return proto.int32Data;
    case 10:
      return proto.int32Data.map(halfFloat);
    case 7:
      return proto.int64Data;
    default:
      return proto.doubleData;
  }
}
