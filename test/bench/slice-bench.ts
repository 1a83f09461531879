import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Mode } from '@cipherdose/sdk';
import type { SeriesFigures } from './client-process.ts';
import { peakMemoryMiB, processorSeconds } from './process-memory.ts';
import { repositoryRoot, sampleImages } from './sample-images.ts';
import { startHostProcess } from './start-host.ts';

const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** What a series took on both sides. */
export interface BothSidesFigures extends SeriesFigures {
  /** After slices that had nothing beside them, and at the end. */
  readonly hostAlonePeakMiB: number;
  readonly hostPeakMiB: number;
  /** Processor time of the host, a slice. */
  readonly hostCpuSeconds: number;
}

export interface SeriesChoice {
  readonly mode?: Mode;
  /** Default: the models that come along. */
  readonly models?: string;
}

/** Runs a series of `slices` slices against a host in another process. Memory is the peak of each process. */
export async function benchSeries(
  model: string,
  slices: number,
  { mode, models }: SeriesChoice = {},
): Promise<BothSidesFigures> {
  const host = startHostProcess(models);
  try {
    const { url } = await answerOf<{ url: string }>(host);
    const pid = host.pid as number;
    const way = mode === undefined ? [] : [mode];
    const client = fork(script('client-process.js'), [url, model, String(slices), ...way]);
    await answerOf<string>(client);
    const [before, hostAlonePeakMiB] = [processorSeconds(pid), peakMemoryMiB(pid)];
    client.send('go on');
    const figures = await answerOf<SeriesFigures>(client);
    const hostCpuSeconds = (processorSeconds(pid) - before) / slices;
    return { ...figures, hostAlonePeakMiB, hostPeakMiB: peakMemoryMiB(pid), hostCpuSeconds };
  } finally {
    host.disconnect();
    await once(host, 'exit');
  }
}

/** Seconds of one slice of the same network as float ONNX in onnxruntime on one thread: the median of several. */
export async function benchClear(model: string, runs: number): Promise<number> {
  const path = fileURLToPath(new URL(`examples/train-denoiser/onnx/${model}.onnx`, repositoryRoot));
  const session = await InferenceSession.create(path, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const [image] = sampleImages();
  if (!image) throw new Error('no sample slices');
  const input = new Tensor('float32', Float32Array.from(image.hu), [1, 1, image.height, image.width]);
  const seconds: number[] = [];
  for (let run = 0; run <= runs; run++) {
    const started = performance.now();
    await session.run({ [session.inputNames[0] as string]: input });
    if (run > 0) seconds.push((performance.now() - started) / 1000);
  }
  await session.release();
  return seconds.sort((a, b) => a - b)[Math.floor(seconds.length / 2)] as number;
}

async function answerOf<T>(child: ChildProcess): Promise<T> {
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`a bench process ended with ${String(code)}`);
  });
  const [message] = await Promise.race([once(child, 'message'), failed]);
  failed.catch(() => undefined);
  return message as T;
}
