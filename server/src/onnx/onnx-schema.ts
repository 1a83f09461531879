import protobuf from 'protobufjs';

/**
 * The part of onnx.proto that a feed-forward network needs; field numbers from the ONNX IR specification,
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. Other fields are skipped. No message contains itself
 * (graphs inside attributes are left out), so the depth of a file is bounded.
 */
const proto = `
  syntax = "proto2";
  message Model { optional Graph graph = 7; repeated OperatorSet opsetImport = 8; }
  message OperatorSet { optional string domain = 1; optional int64 version = 2; }
  message Graph {
    repeated Node node = 1;
    repeated Tensor initializer = 5;
    repeated ValueInfo input = 11;
    repeated ValueInfo output = 12;
    repeated bytes sparseInitializer = 15;
  }
  message Node {
    repeated string input = 1;
    repeated string output = 2;
    optional string name = 3;
    optional string opType = 4;
    repeated Attribute attribute = 5;
    optional string domain = 7;
  }
  message Attribute {
    optional string name = 1;
    optional float f = 2;
    optional int64 i = 3;
    optional bytes s = 4;
    optional Tensor t = 5;
    repeated float floats = 7;
    repeated int64 ints = 8;
    optional int32 type = 20;
  }
  message Tensor {
    repeated int64 dims = 1;
    optional int32 dataType = 2;
    repeated float floatData = 4 [packed = true];
    repeated int32 int32Data = 5 [packed = true];
    repeated int64 int64Data = 7 [packed = true];
    optional string name = 8;
    optional bytes rawData = 9;
    repeated double doubleData = 10 [packed = true];
    repeated bytes externalData = 13;
    optional int32 dataLocation = 14;
  }
  message ValueInfo { optional string name = 1; optional ValueType type = 2; }
  message ValueType { optional TensorType tensorType = 1; }
  message TensorType { optional int32 elementType = 1; optional Shape shape = 2; }
  message Shape { repeated Dimension dim = 1; }
  message Dimension { optional int64 dimValue = 1; optional string dimParam = 2; }
`;

export const modelType = protobuf.parse(proto).root.lookupType('Model');

export interface TensorProto {
  readonly dims: readonly number[];
  readonly dataType?: number;
  readonly floatData: readonly number[];
  readonly int32Data: readonly number[];
  readonly int64Data: readonly number[];
  readonly name?: string;
  readonly rawData?: Uint8Array;
  readonly doubleData: readonly number[];
  readonly externalData: readonly unknown[];
  readonly dataLocation?: number;
}

export interface AttributeProto {
  readonly name?: string;
  readonly f?: number;
  readonly i?: number;
  readonly s?: Uint8Array;
  readonly t?: TensorProto;
  readonly floats: readonly number[];
  readonly ints: readonly number[];
}

export interface NodeProto {
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly name?: string;
  readonly opType?: string;
  readonly attribute: readonly AttributeProto[];
  readonly domain?: string;
}

export interface ValueInfoProto {
  readonly name?: string;
  readonly type?: {
    readonly tensorType?: { readonly shape?: { readonly dim: readonly { dimValue?: number }[] } };
  };
}

export interface ModelProto {
  readonly graph?: {
    readonly node: readonly NodeProto[];
    readonly initializer: readonly TensorProto[];
    readonly input: readonly ValueInfoProto[];
    readonly output: readonly ValueInfoProto[];
    readonly sparseInitializer: readonly unknown[];
  };
  readonly opsetImport: readonly { readonly domain?: string; readonly version?: number }[];
}
