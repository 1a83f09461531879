/** A plane of numbers whose edge pixels go on beyond it by `margin` on every side, row-major. */
export interface PaddedPlane {
  readonly data: ArrayLike<number>;
  /** Sides without the margin. */
  readonly height: number;
  readonly width: number;
  readonly margin: number;
}

/** Rows down and columns to the right, from one pixel to another. */
export interface Offset {
  readonly down: number;
  readonly right: number;
}

/**
 * One of each pair of opposite offsets within a square window of `search` x `search` pixels, its centre left out: a pair
 * of pixels is looked at once for both.
 */
export function halfWindow(search: number): readonly Offset[] {
  const reach = (search - 1) / 2;
  const offsets: Offset[] = [];
  for (let down = 0; down <= reach; down++)
    for (let right = down === 0 ? 1 : -reach; right <= reach; right++) offsets.push({ down, right });
  return offsets;
}

/**
 * How much the surroundings of each pixel differ from those of the pixel at `offset` from it: the sum of the squared
 * differences over patches of `patch` x `patch` pixels. Left as it is where that pixel lies outside.
 * @param distances height x width, written
 */
export function patchDistances(
  { data, height, width, margin }: PaddedPlane,
  { down, right }: Offset,
  patch: number,
  distances: Float64Array,
): void {
  const half = (patch - 1) / 2;
  const pitch = width + 2 * margin;
  const first = Math.max(0, -right);
  const end = width - Math.max(0, right);
  const span = end - first + patch - 1;
  if (end <= first) return;
  const columns = new Float64Array(span);
  const away = down * pitch + right;
  for (let y = 0; y + down < height; y++) {
    // Of the rows of the patch only one leaves and one comes.
    const start = (y + margin - half) * pitch + margin - half + first;
    for (let row = y === 0 ? 0 : patch - 1; row < patch; row++)
      for (let i = 0, at = start + row * pitch; i < span; i++, at++) {
        const difference = (data[at] as number) - (data[at + away] as number);
        (columns[i] as number) += difference * difference;
      }
    let sum = 0;
    for (let i = 0; i < patch - 1; i++) sum += columns[i] as number;
    for (let i = 0, at = y * width + first; i <= span - patch; i++, at++) {
      sum += columns[i + patch - 1] as number;
      distances[at] = sum;
      sum -= columns[i] as number;
    }
    for (let i = 0, at = start; i < span; i++, at++) {
      const difference = (data[at] as number) - (data[at + away] as number);
      (columns[i] as number) -= difference * difference;
    }
  }
}
