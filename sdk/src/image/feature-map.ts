/** Integers of a network between two steps: channel-major, then row-major. */
export interface FeatureMap {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Length channels * height * width; every value is below 2^31 in magnitude. */
  readonly data: Int32Array;
}

/** A map of zeros, channels x height x width. */
export const emptyMap = (channels: number, height: number, width: number): FeatureMap => ({
  channels,
  height,
  width,
  data: new Int32Array(channels * height * width),
});
