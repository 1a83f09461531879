import type { CtSlice, Vector } from './read-ct-slice.ts';

/** The slices of one series that could be read. */
export interface CtSeries {
  readonly seriesInstanceUid: string;
  readonly studyInstanceUid: string;
  /** In the order of the scan. */
  readonly slices: readonly CtSlice[];
}

/** Slices by SeriesInstanceUID, in order of first appearance, each series sorted by {@link sortSlices}. */
export function groupSeries(slices: readonly CtSlice[]): readonly CtSeries[] {
  const groups = new Map<string, CtSlice[]>();
  for (const slice of slices) {
    const members = groups.get(slice.seriesInstanceUid);
    if (members) members.push(slice);
    else groups.set(slice.seriesInstanceUid, [slice]);
  }
  return [...groups].map(([seriesInstanceUid, members]) => ({
    seriesInstanceUid,
    studyInstanceUid: (members[0] as CtSlice).studyInstanceUid,
    slices: sortSlices(members),
  }));
}

/**
 * Sorts by the position along the normal of the slices if all have one, else by InstanceNumber, those without last.
 * Equal places keep their order.
 */
export function sortSlices(slices: readonly CtSlice[]): readonly CtSlice[] {
  const orientation = slices[0]?.imageOrientation;
  const placed =
    orientation && slices.every(({ imagePosition, imageOrientation }) => imagePosition && imageOrientation);
  const normal = orientation && cross(...orientation);
  const place = (slice: CtSlice): number =>
    placed && normal
      ? dot(normal, slice.imagePosition as Vector)
      : (slice.instanceNumber ?? Number.MAX_SAFE_INTEGER);
  return [...slices].sort((first, second) => place(first) - place(second));
}

const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
