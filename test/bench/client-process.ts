// Denoises a series in a process of its own and sends what it took to the parent.
import { createDenoiseClient } from '@cipherdose/sdk';
import { peakMemoryMiB } from './process-memory.ts';
import { sampleImages } from './sample-images.ts';

/** What a run of a series took. */
export interface SeriesFigures {
  readonly slices: number;
  readonly secondsPerSlice: number;
  readonly firstSliceSeconds: number;
  /** A slice. */
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly clientPeakMiB: number;
  /** Processor time of this process, a slice. */
  readonly clientCpuSeconds: number;
}

const [serverUrl = '', model = '', count = '1'] = process.argv.slice(2);
const samples = sampleImages();
const images = Array.from(
  { length: Number(count) },
  (_, i) => samples[i % samples.length] as (typeof samples)[number],
);
const client = createDenoiseClient({ serverUrl });

// Starts the workers, which takes a part of a second once.
for await (const result of client.denoise(images.slice(0, 1), { model })) if (!result.ok) throw result.error;

const started = performance.now();
const cpuBefore = process.cpuUsage();
const seconds = (): number => (performance.now() - started) / 1000;
let firstSliceSeconds = 0;
let bytesUp = 0;
let bytesDown = 0;
for await (const result of client.denoise(images, { model })) {
  if (!result.ok) throw result.error;
  firstSliceSeconds ||= seconds();
  bytesUp += result.statistics.bytesUp;
  bytesDown += result.statistics.bytesDown;
}
const cpu = process.cpuUsage(cpuBefore);
const figures: SeriesFigures = {
  slices: images.length,
  secondsPerSlice: seconds() / images.length,
  firstSliceSeconds,
  bytesUp: Math.round(bytesUp / images.length),
  bytesDown: Math.round(bytesDown / images.length),
  clientPeakMiB: peakMemoryMiB(),
  clientCpuSeconds: (cpu.user + cpu.system) / 1e6 / images.length,
};
client.close();
process.send?.(figures);
process.disconnect();
