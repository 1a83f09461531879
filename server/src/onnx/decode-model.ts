import protobuf from 'protobufjs';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { modelType, type ModelProto } from './onnx-schema.ts';

/** Bounds on a file before anything is built from it. */
export const onnxLimits = Object.freeze({
  /** Largest file, bytes. */
  fileBytes: 64 * 2 ** 20,
  /** Most protobuf fields in all messages of the file, each packed integer counted by its bytes. */
  fields: 2 ** 19,
});

/**
 * Bytes -> messages. The fields are counted first, so that a small file cannot become many objects.
 * @throws ONNX_INVALID
 */
export function decodeModel(bytes: Uint8Array): ModelProto {
  if (bytes.length > onnxLimits.fileBytes)
    throw new DenoiseError('ONNX_INVALID', { bytes: bytes.length, most: onnxLimits.fileBytes });
  try {
    // Not a Buffer: protobufjs would hand out slices of it, which typed arrays cannot always view.
    const reader = protobuf.Reader.create(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
    countFields(reader, bytes.length, modelType, { left: onnxLimits.fields });
    const message = modelType.decode(bytes);
    return modelType.toObject(message, { longs: Number, arrays: true }) as ModelProto;
  } catch (error) {
    throw DenoiseError.wrap(error, 'ONNX_INVALID', { reason: 'not a readable protobuf file' });
  }
}

const lengthDelimited = 2;

function countFields(
  reader: protobuf.Reader,
  end: number,
  type: protobuf.Type,
  budget: { left: number },
): void {
  const spend = (amount: number): void => {
    budget.left -= amount;
    if (budget.left < 0)
      throw new DenoiseError('ONNX_INVALID', { reason: 'too many fields', most: onnxLimits.fields });
  };
  while (reader.pos < end) {
    const tag = reader.uint32();
    spend(1);
    if ((tag & 7) !== lengthDelimited) {
      reader.skipType(tag & 7);
      continue;
    }
    const length = reader.uint32();
    const stop = reader.pos + length;
    if (stop > end) throw new DenoiseError('ONNX_INVALID', { reason: 'a message is cut off' });
    const field = type.fieldsById[tag >>> 3]?.resolve();
    if (field?.resolvedType instanceof protobuf.Type) countFields(reader, stop, field.resolvedType, budget);
    else if (field?.repeated && (field.type === 'int64' || field.type === 'int32')) spend(length);
    reader.pos = stop;
  }
  if (reader.pos !== end) throw new DenoiseError('ONNX_INVALID', { reason: 'a message is cut off' });
}
