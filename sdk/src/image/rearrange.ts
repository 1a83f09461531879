import { emptyMap, type FeatureMap } from './feature-map.ts';

/** The channels of all maps, which have one size, one after another. */
export function concatenate(maps: readonly FeatureMap[]): FeatureMap {
  const [first] = maps;
  if (!first) return emptyMap(0, 0, 0);
  const channels = maps.reduce((sum, map) => sum + map.channels, 0);
  const result = emptyMap(channels, first.height, first.width);
  let at = 0;
  for (const { data } of maps) {
    result.data.set(data, at);
    at += data.length;
  }
  return result;
}

/** Channel i of the result is channel channels[i] of the map. */
export function selectChannels(map: FeatureMap, channels: readonly number[]): FeatureMap {
  const result = emptyMap(channels.length, map.height, map.width);
  const plane = map.height * map.width;
  channels.forEach((channel, i) =>
    result.data.set(map.data.subarray(channel * plane, (channel + 1) * plane), i * plane),
  );
  return result;
}

/** What stands in rows and columns that are added. */
export type Fill = 'zero' | 'edge' | 'reflect';

/**
 * Adds rows and columns, or takes them away where `padding` is below 0.
 * @param padding [top, left, bottom, right]; for `reflect` below the side of the map
 */
export function padMap(
  map: FeatureMap,
  { fill, padding }: { readonly fill: Fill; readonly padding: readonly [number, number, number, number] },
): FeatureMap {
  const [top, left, bottom, right] = padding;
  const rows = sources(map.height, top, bottom, fill);
  const columns = sources(map.width, left, right, fill);
  const result = emptyMap(map.channels, rows.length, columns.length);
  let next = 0;
  for (let channel = 0; channel < map.channels; channel++)
    for (const row of rows) {
      const start = (channel * map.height + row) * map.width;
      for (const column of columns) {
        if (row >= 0 && column >= 0) result.data[next] = map.data[start + column] as number;
        next++;
      }
    }
  return result;
}

/** For every place along an axis of the result the place that it is taken from, -1 for zero. */
function sources(size: number, before: number, after: number, fill: Fill): Int32Array {
  return Int32Array.from({ length: Math.max(0, size + before + after) }, (_, i) => {
    const at = i - before;
    if (at >= 0 && at < size) return at;
    if (fill === 'zero') return -1;
    const nearest = at < 0 ? 0 : size - 1;
    return fill === 'edge' ? nearest : 2 * nearest - at;
  });
}
