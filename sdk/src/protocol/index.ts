export { canonicalJson, digestOf } from './canonical-json.ts';
export {
  checkFrame,
  decodeFrameHeader,
  encodeFrameHeader,
  frameHeaderBytes,
  protocolVersion,
  type FrameExpectation,
  type FrameHeader,
} from './frame.ts';
export { limits } from './limits.ts';
export * from './messages.ts';
export { modeDisclosure } from './mode-disclosure.ts';
export {
  checkParameters,
  isPrivateSet,
  packedBytes,
  parameterSet,
  parameterSetNames,
  replyCiphertextBytes,
  requestCiphertextBytes,
  residueBits,
  seedBytes,
  type ParameterLiteral,
  type ParameterSet,
  type PrivateParameterSet,
} from './parameter-sets.ts';
export * from './plan-schema.ts';
export {
  decodePublicKey,
  encodePublicKey,
  publicKeyBytes,
  publicKeyHeaderBytes,
  publicKeyModuli,
  sessionIdBytes,
} from './public-key.ts';
