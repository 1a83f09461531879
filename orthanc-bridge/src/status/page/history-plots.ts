import type UPlot from 'uplot';
import type { HistoryView } from '../views.ts';
import { get } from './bridge-api.ts';
import { byId } from './elements.ts';
import { bytes, plural } from './format.ts';

/** The script of uPlot puts it there. */
const chart = (): typeof UPlot => (globalThis as unknown as { uPlot: typeof UPlot }).uPlot;

interface Curve {
  readonly label: string;
  readonly colour: string;
  readonly values: readonly number[];
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
  draw('plot-slices', times, [
    { label: 'Slices', colour: colour('--accent'), values: values(({ slices }) => slices) },
  ]);
  draw('plot-bytes', times, [
    { label: 'Sent', colour: colour('--accent'), values: values(({ bytesUp }) => bytesUp / 1e6) },
    { label: 'Received', colour: colour('--second'), values: values(({ bytesDown }) => bytesDown / 1e6) },
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

function draw(id: string, times: readonly number[], curves: readonly Curve[]): void {
  const place = byId(id);
  const uPlot = chart();
  drawn.get(id)?.destroy();
  const axis = {
    stroke: colour('--quiet'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  };
  const bars = uPlot.paths.bars?.({ size: [0.6, 40], align: 1 });
  const plot = new uPlot(
    {
      width: Math.max(200, place.clientWidth),
      height: 180,
      cursor: { drag: { x: false, y: false } },
      legend: { live: true },
      scales: { y: { range: (_plot, _low, high) => [0, Math.max(1, high * 1.1)] } },
      axes: [axis, { ...axis, size: 56 }],
      series: [
        { value: (_plot, seconds) => (seconds === null ? '' : new Date(seconds * 1000).toLocaleString()) },
        ...curves.map(({ label, colour: stroke }, index) => ({
          ...{ label, stroke, width: index === 0 ? 0 : 2, points: { show: false } },
          ...(index === 0 ? { fill: stroke, ...(bars ? { paths: bars } : {}) } : {}),
        })),
      ],
    },
    [[...times], ...curves.map(({ values }) => [...values])],
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
