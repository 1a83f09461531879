/** A piece of the kernel's memory. */
export interface Region {
  readonly address: number;
  readonly bytes: number;
}

const alignment = 64;

/** Hands out pieces of one growing memory, first fit. Bookkeeping only: `grow` makes the memory reach an address. */
export class MemoryArena {
  readonly #start: number;
  readonly #grow: (end: number) => void;
  /** In order of address. */
  readonly #regions: Region[] = [];

  constructor(start: number, grow: (end: number) => void) {
    this.#start = Math.ceil(start / alignment) * alignment;
    this.#grow = grow;
  }

  /** @returns a region at a multiple of 64, whose bytes are not cleared */
  allocate(bytes: number): Region {
    const size = Math.ceil(bytes / alignment) * alignment;
    let address = this.#start;
    let place = 0;
    for (const region of this.#regions) {
      if (region.address - address >= size) break;
      address = region.address + region.bytes;
      place += 1;
    }
    this.#grow(address + size);
    const region = { address, bytes: size };
    this.#regions.splice(place, 0, region);
    return region;
  }

  release(region: Region): void {
    const place = this.#regions.indexOf(region);
    if (place >= 0) this.#regions.splice(place, 1);
  }

  /** Bytes handed out now. */
  get usedBytes(): number {
    return this.#regions.reduce((sum, region) => sum + region.bytes, 0);
  }
}
