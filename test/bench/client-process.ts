// Denoises a series in a process of its own and sends what it took to the parent.
import { createDenoiseClient, type Mode, type PhaseStatistics, type SliceStatistics } from '@cipherdose/sdk';
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
  readonly rounds: number;
  /** Means of the slices, in private mode. */
  readonly offline?: PhaseStatistics;
  readonly online?: PhaseStatistics;
  /** One slice with nothing beside it. */
  readonly alone?: SliceStatistics | undefined;
  readonly clientAlonePeakMiB: number;
  readonly clientPeakMiB: number;
  /** Processor time of this process, a slice. */
  readonly clientCpuSeconds: number;
}

const [serverUrl = '', model = '', count = '1', mode] = process.argv.slice(2);
const samples = sampleImages();
const images = Array.from(
  { length: Number(count) },
  (_, i) => samples[i % samples.length] as (typeof samples)[number],
);
const client = createDenoiseClient({ serverUrl });
const options = { model, ...(mode === undefined ? {} : { mode: mode as Mode }) };

// The first one starts the workers, which takes a part of a second once.
let alone: SliceStatistics | undefined;
for (let run = 0; run < 2; run++)
  for await (const result of client.denoise(images.slice(0, 1), options)) {
    if (!result.ok) throw result.error;
    alone = result.statistics;
  }
const alonePeakMiB = peakMemoryMiB();
await new Promise<void>((resolve) => {
  process.once('message', () => resolve());
  process.send?.('alone');
});

const started = performance.now();
const cpuBefore = process.cpuUsage();
const seconds = (): number => (performance.now() - started) / 1000;
let firstSliceSeconds = 0;
let bytesUp = 0;
let bytesDown = 0;
let rounds = 0;
const offline: PhaseStatistics[] = [];
const online: PhaseStatistics[] = [];
for await (const result of client.denoise(images, options)) {
  if (!result.ok) throw result.error;
  firstSliceSeconds ||= seconds();
  bytesUp += result.statistics.bytesUp;
  bytesDown += result.statistics.bytesDown;
  rounds = result.statistics.rounds;
  const { phases } = result.statistics;
  if (!phases) continue;
  offline.push(phases.offline);
  online.push(phases.online);
}
const mean = (phases: readonly PhaseStatistics[]): PhaseStatistics => {
  const of = (field: keyof PhaseStatistics): number =>
    phases.reduce((sum, phase) => sum + phase[field], 0) / phases.length;
  return { seconds: of('seconds'), bytesUp: of('bytesUp'), bytesDown: of('bytesDown') };
};
const cpu = process.cpuUsage(cpuBefore);
const figures: SeriesFigures = {
  slices: images.length,
  secondsPerSlice: seconds() / images.length,
  firstSliceSeconds,
  bytesUp: Math.round(bytesUp / images.length),
  bytesDown: Math.round(bytesDown / images.length),
  rounds,
  ...(offline.length > 0 ? { offline: mean(offline), online: mean(online) } : {}),
  alone,
  clientAlonePeakMiB: alonePeakMiB,
  clientPeakMiB: peakMemoryMiB(),
  clientCpuSeconds: (cpu.user + cpu.system) / 1e6 / images.length,
};
client.close();
process.send?.(figures);
process.disconnect();
