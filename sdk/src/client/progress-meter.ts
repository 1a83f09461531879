import type { DenoisePhase, DenoiseProgress } from './types.ts';

/** Adds up what the slices of one run report and estimates the time left. */
export class ProgressMeter {
  readonly #report: ((progress: DenoiseProgress) => void) | undefined;
  readonly #tilesOf: Map<number, number>;
  readonly #layers: number;
  readonly #started = performance.now();
  #expectedSlices: number;
  #tiles: number;
  #tilesDone = 0;
  #slicesDone = 0;
  #bytesUp = 0;
  #bytesDown = 0;

  /**
   * @param tilesOf tiles of all layers, by index of the slice
   * @param expectedSlices slices that will come in all, if more than those are
   */
  constructor(
    tilesOf: ReadonlyMap<number, number>,
    layers: number,
    report: ((progress: DenoiseProgress) => void) | undefined,
    expectedSlices = 0,
  ) {
    this.#tilesOf = new Map(tilesOf);
    this.#layers = layers;
    this.#report = report;
    this.#expectedSlices = expectedSlices;
    this.#tiles = [...tilesOf.values()].reduce((sum, tiles) => sum + tiles, 0);
  }

  /** A slice of a stream has come. */
  expect(slice: number, tiles: number): void {
    this.#tilesOf.set(slice, tiles);
    this.#tiles += tiles;
  }

  /** The stream has ended: no more slices than those that came. */
  expectNoMore(): void {
    this.#expectedSlices = 0;
  }

  step(phase: DenoisePhase, slice: number, layer: number, change: Partial<ProgressChange> = {}): void {
    this.#tilesDone += change.tiles ?? 0;
    this.#bytesUp += change.bytesUp ?? 0;
    this.#bytesDown += change.bytesDown ?? 0;
    this.#slicesDone += change.slices ?? 0;
    const slices = Math.max(this.#expectedSlices, this.#tilesOf.size);
    // Slices that have not come yet are taken to be like those that have.
    const tiles = Math.round((this.#tiles / Math.max(1, this.#tilesOf.size)) * slices);
    this.#report?.({
      phase,
      slice,
      layer,
      layers: this.#layers,
      tilesDone: this.#tilesDone,
      tiles,
      slicesDone: this.#slicesDone,
      slices,
      bytesUp: this.#bytesUp,
      bytesDown: this.#bytesDown,
      secondsLeft: this.#secondsLeft(tiles),
    });
  }

  /** A slice ended without a result: the tiles that it still had will not be done. */
  abandon(slice: number, tilesDone: number): void {
    this.#tiles -= (this.#tilesOf.get(slice) ?? 0) - tilesDone;
  }

  /** Tiles that were done have to be done again. */
  takeBack(tiles: number): void {
    this.#tilesDone -= tiles;
  }

  #secondsLeft(tiles: number): number | undefined {
    if (this.#tilesDone === 0) return undefined;
    const seconds = (performance.now() - this.#started) / 1000;
    return (seconds / this.#tilesDone) * (tiles - this.#tilesDone);
  }
}

interface ProgressChange {
  readonly tiles: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly slices: number;
}
