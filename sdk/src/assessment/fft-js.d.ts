declare module 'fft.js' {
  /** Complex numbers stand as pairs of (real, imaginary). */
  export default class FFT {
    /** @param size a power of two */
    constructor(size: number);
    createComplexArray(): number[];
    transform(output: number[], input: number[]): void;
  }
}
