/** Bounds that both sides check before they do any work. */
export const limits = Object.freeze({
  /** Largest image side, pixels. */
  imageSide: 4096,
  /** Most nodes of a plan. */
  planNodes: 256,
  /** Most channels of a feature map. */
  channels: 1024,
  /** Largest kernel side, taps. */
  kernelSide: 31,
  stride: 8,
  shuffleFactor: 16,
  /** Most weights of one convolution that the client does. */
  convolutionWeights: 65_536,
  /** Most inputs of one concatenation. */
  concatInputs: 32,
  /** Largest side of the window of a non-local mean, and of its patches, pixels. */
  searchSide: 31,
  patchSide: 15,
  /** Most weights that one non-local mean chooses from. */
  patchWeights: 1024,
  /** Most pieces of one piecewise function. */
  pieces: 512,
  /** Most integers of one feature map. */
  mapElements: 2 ** 27,
  /** Most integers of all feature maps that are needed at one time. */
  liveElements: 2 ** 29,
  /** Most tiles of one request. */
  tilesPerRequest: 8,
  /** Largest request or reply, bytes. */
  frameBytes: 256 * 2 ** 20,
  /** Largest plan as JSON, bytes. */
  planBytes: 2 ** 20,
  /** Most ciphertexts that one layer of one slice may need, each way. */
  ciphertextsPerLayer: 65_536,
});
