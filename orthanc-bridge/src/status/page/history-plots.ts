import type UPlot from 'uplot';
import type { HistoryView } from '../views.ts';
import { get } from './bridge-api.ts';
import { byId } from './elements.ts';
import { bytes, plural } from './format.ts';

/** The script of uPlot puts it there. */
const chart = (): typeof UPlot => (globalThis as unknown as { uPlot: typeof UPlot }).uPlot;

interface Bars {
  readonly label: string;
  readonly colour: string;
  readonly values: readonly number[];
  /** Beside the middle of the column: left, on it, or right. */
  readonly place: -1 | 0 | 1;
}

const drawn = new Map<string, UPlot>();

/** Draws what was completed in the last hours. @throws Refusal */
export async function drawHistory(hours: string): Promise<void> {
  const history = await get<HistoryView>(`/api/history?hours=${hours}`);
  const { times, buckets } = columns(history, Number(hours), Date.now());
  const total = (name: 'series' | 'slices' | 'bytesUp' | 'bytesDown'): number =>
    buckets.reduce((sum, bucket) => sum + (bucket?.[name] ?? 0), 0);
  const values = (read: (bucket: HistoryView['buckets'][number]) => number): number[] =>
    buckets.map((bucket) => (bucket ? read(bucket) : 0));
  const accent = colour('--accent');
  draw('plot-slices', times, [
    { label: 'Slices', colour: accent, values: values(({ slices }) => slices), place: 0 },
  ]);
  draw('plot-bytes', times, [
    { label: 'Sent', colour: accent, values: values(({ bytesUp }) => bytesUp / 1e6), place: -1 },
    {
      ...{ label: 'Received', colour: colour('--second'), place: 1 },
      values: values(({ bytesDown }) => bytesDown / 1e6),
    },
  ]);
  byId('history-summary').textContent =
    `${plural(total('series'), 'series', 'series')} with ${plural(total('slices'), 'slice')}; ` +
    `${bytes(total('bytesUp'))} sent and ${bytes(total('bytesDown'))} received, all of it encrypted.`;
}

/** Every column, also those in which nothing happened. @returns starts of the columns in seconds since 1970 */
export function columns(
  { buckets, bucketMinutes }: HistoryView,
  hours: number,
  now: number,
): { times: number[]; buckets: (HistoryView['buckets'][number] | undefined)[] } {
  const step = bucketMinutes * 60;
  const last = Math.floor(now / 1000 / step) * step;
  const count = Math.round((hours * 3600) / step);
  const times = Array.from({ length: count }, (_column, index) => last - (count - 1 - index) * step);
  const byStart = new Map(buckets.map((bucket) => [Date.parse(bucket.start) / 1000, bucket]));
  return { times, buckets: times.map((time) => byStart.get(time)) };
}

/** @param times starts of the columns, all of the same length, in seconds since 1970 */
function draw(id: string, times: readonly number[], curves: readonly Bars[]): void {
  const place = byId(id);
  const uPlot = chart();
  drawn.get(id)?.destroy();
  const step = (times[1] ?? 0) - (times[0] ?? 0);
  const [first = 0, last = 0] = [times[0], times.at(-1)];
  const middles = times.map((time) => time + step / 2);
  const axis = { stroke: colour('--quiet'), grid: { stroke: colour('--line'), width: 1 } };
  const clock = (seconds: number): string =>
    new Date(seconds * 1000).toLocaleString([], { dateStyle: 'short', timeStyle: 'short' });
  const plot = new uPlot(
    {
      width: Math.max(200, place.clientWidth),
      height: 180,
      cursor: { drag: { x: false, y: false }, y: false, points: { show: false } },
      scales: {
        x: { range: () => [first, last + step] },
        y: { range: (_plot, _low, high) => [0, Math.max(1, high * 1.1)] },
      },
      axes: [axis, { ...axis, size: 56 }],
      series: [
        { label: 'From', value: (_plot, middle) => (middle === null ? '–' : clock(middle - step / 2)) },
        ...curves.map(({ label, colour: stroke, place: align }) => {
          const paths = uPlot.paths.bars?.({ size: [align === 0 ? 0.6 : 0.35, 40], align });
          return {
            ...{
              label,
              stroke,
              fill: stroke,
              width: 0,
              points: { show: false },
              ...(paths ? { paths } : {}),
            },
            value: (_plot: UPlot, value: number | null) =>
              value === null ? '–' : value.toLocaleString('en', { maximumFractionDigits: 1 }),
          };
        }),
      ],
    },
    [middles, ...curves.map(({ values }) => [...values])],
    place,
  );
  drawn.set(id, plot);
}

/** A custom property of the page's style, as the browser computes it. */
function colour(property: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${property})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
