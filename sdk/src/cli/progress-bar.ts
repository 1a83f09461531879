import cliProgress from 'cli-progress';
import type { DenoiseProgress } from '@cipherdose/sdk';
import { formatBytes, formatSeconds } from './format.ts';

/** Shows how far a job is, on standard error. */
export interface ProgressDisplay {
  update(progress: DenoiseProgress): void;
  /** Call when the job has ended, however it ended. */
  stop(): void;
}

interface Terminal extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
}

/** Shortest time between two lines where no bar can be drawn, milliseconds. */
const lineEveryMs = 5000;

/** A bar on a terminal, plain lines now and then elsewhere. */
export function progressDisplay(label: string, stream: Terminal = process.stderr): ProgressDisplay {
  return stream.isTTY ? bar(label, stream) : lines(label, stream);
}

function bar(label: string, stream: Terminal): ProgressDisplay {
  const single = new cliProgress.SingleBar(
    {
      stream,
      format: `${label} {bar} {percentage}% | {words}`,
      barsize: 24,
      fps: 5,
      hideCursor: true,
      clearOnComplete: false,
    },
    cliProgress.Presets.shades_classic,
  );
  let started = false;
  return {
    update(progress) {
      if (!started) single.start(progress.tiles, 0, { words: '' });
      started = true;
      single.setTotal(progress.tiles);
      single.update(progress.tilesDone, { words: inWords(progress) });
    },
    stop: () => single.stop(),
  };
}

function lines(label: string, stream: Terminal): ProgressDisplay {
  let spoken = -Infinity;
  return {
    update(progress) {
      const now = performance.now();
      const last = progress.slicesDone === progress.slices;
      if (progress.phase !== 'done' || (!last && now - spoken < lineEveryMs)) return;
      spoken = now;
      stream.write(`${label}: ${inWords(progress)}\n`);
    },
    stop: () => undefined,
  };
}

function inWords({ slicesDone, slices, bytesUp, bytesDown, secondsLeft }: DenoiseProgress): string {
  const traffic = `${formatBytes(bytesUp)} up, ${formatBytes(bytesDown)} down`;
  const left = secondsLeft === undefined ? '' : ` | ${formatSeconds(secondsLeft)} left`;
  return `${slicesDone}/${slices} slices | ${traffic}${left}`;
}
