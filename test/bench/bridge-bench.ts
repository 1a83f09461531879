// npm run bench:bridge [-- --json] [-- --slices N] [-- --rounds N]: what the Orthanc bridge adds to the time that the SDK
// alone needs for the same slices, in turns on the same machine, and the peak memory of a bridge over a long series.
// Needs Debian's Orthanc.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeBridgeConfig } from '../support/bridge-config.ts';
import { startProcess, until } from '../support/child-process.ts';
import { makeCtDicom } from '../support/make-ct.ts';
import { startOrthanc } from '../support/orthanc.ts';
import type { SeriesFigures } from './client-process.ts';
import { peakMemoryMiB, processorSeconds } from './process-memory.ts';
import { repositoryRoot, sampleImages } from './sample-images.ts';
import { startHostProcess } from './start-host.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    /** Slices of the long series, for memory. */
    slices: { type: 'string', default: '600' },
    rounds: { type: 'string', default: '5' },
    roundSlices: { type: 'string', default: '40' },
    model: { type: 'string', default: 'linear' },
  },
});
const { model } = values;
const images = sampleImages();
const say = (line: string): void => console.error(line);
const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const bridgeProgram = fileURLToPath(new URL('orthanc-bridge/dist/main.js', repositoryRoot));

interface BridgeFigures {
  readonly secondsPerSlice: number;
  /** Processor time of the bridge and of Orthanc, a slice. */
  readonly cpuSeconds: number;
  readonly peakMiB: number;
}

/** Seconds a slice; processor time is that of all processes together, the host's too. */
interface Round {
  readonly sdkSeconds: number;
  readonly bridgeSeconds: number;
  readonly sdkCpuSeconds: number;
  readonly bridgeCpuSeconds: number;
}

/** From the start of the job to its last verified object. */
async function benchBridge(hostUrl: string, slices: number): Promise<BridgeFigures> {
  const orthanc = await startOrthanc();
  const config = writeBridgeConfig({
    ...{ orthanc, hostUrl, model, watch: { backfill: true } },
    settings: { logLevel: 'info', host: { url: hostUrl } },
  });
  try {
    for (let slice = 0; slice < slices; slice++) {
      const { width, height, hu } = images[slice % images.length] as (typeof images)[number];
      await orthanc.upload(
        makeCtDicom({
          rows: height,
          columns: width,
          hu,
          signed: true,
          bitsStored: 16,
          instanceNumber: slice + 1,
        }),
      );
    }
    const bridge = await startProcess(process.execPath, [bridgeProgram, '--config', config]);
    try {
      const cpu = (): number => processorSeconds(bridge.pid) + processorSeconds(orthanc.pid);
      await until(
        () => `the series is started: ${bridge.output()}`,
        () => bridge.output().includes('series started'),
        600,
      );
      const cpuBefore = cpu();
      const ended = /series (done|given up)/;
      await until(
        () => `the series is done: ${bridge.output()}`,
        () => ended.test(bridge.output()) || bridge.exited,
        24 * 3600,
      );
      const cpuSeconds = (cpu() - cpuBefore) / slices;
      const peakMiB = peakMemoryMiB(bridge.pid);
      const times = ['series started', 'series done'].map((message) => timeOf(bridge.output(), message));
      const [started = NaN, done = NaN] = times;
      return { secondsPerSlice: (done - started) / 1000 / slices, cpuSeconds, peakMiB };
    } finally {
      await bridge.end('SIGTERM');
    }
  } finally {
    await orthanc.close();
    rmSync(dirname(config), { recursive: true });
  }
}

/** Milliseconds of the last log line with this message. @throws Error if there is none */
function timeOf(output: string, message: string): number {
  const line = output.split('\n').findLast((text) => text.includes(`"${message}"`));
  if (line === undefined) throw new Error(`the bridge did not say '${message}': ${output}`);
  return (JSON.parse(line) as { time: number }).time;
}

async function benchSdk(hostUrl: string, slices: number): Promise<SeriesFigures> {
  const client = fork(script('client-process.js'), [hostUrl, model, String(slices)]);
  return answerOf<SeriesFigures>(client);
}

async function answerOf<T>(child: ChildProcess): Promise<T> {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`a bench process ended with ${String(code)}`);
  });
  const [message] = (await Promise.race([once(child, 'message'), ended])) as [T];
  ended.catch(() => undefined);
  return message;
}

const host = startHostProcess();
try {
  const { url } = await answerOf<{ url: string }>(host);
  const roundSlices = Number(values.roundSlices);
  const hostPid = host.pid as number;
  const rounds: Round[] = [];
  for (let round = 1; round <= Number(values.rounds); round++) {
    say(`round ${round}: ${roundSlices} slices by the SDK, then by the bridge ...`);
    const hostCpu = [processorSeconds(hostPid)];
    const sdk = await benchSdk(url, roundSlices);
    hostCpu.push(processorSeconds(hostPid));
    const bridge = await benchBridge(url, roundSlices);
    hostCpu.push(processorSeconds(hostPid));
    const [before = 0, between = 0, after = 0] = hostCpu;
    rounds.push({
      sdkSeconds: sdk.secondsPerSlice,
      bridgeSeconds: bridge.secondsPerSlice,
      sdkCpuSeconds: sdk.clientCpuSeconds + (between - before) / roundSlices,
      bridgeCpuSeconds: bridge.cpuSeconds + (after - between) / roundSlices,
    });
    say(`  ${sdk.secondsPerSlice.toFixed(3)} s and ${bridge.secondsPerSlice.toFixed(3)} s a slice`);
  }
  // The best of several rounds: other programs on the machine only ever make a round slower.
  const best = (name: keyof Round): number => Math.min(...rounds.map((round) => round[name]));
  const overhead = best('bridgeSeconds') / best('sdkSeconds') - 1;
  const cpuOverhead = best('bridgeCpuSeconds') / best('sdkCpuSeconds') - 1;
  say(`${values.slices} slices by the bridge ...`);
  const long = await benchBridge(url, Number(values.slices));
  const figures = {
    ...{ model, roundSlices, rounds, overhead, cpuOverhead },
    long: { slices: Number(values.slices), ...long },
  };
  if (values.json) console.log(JSON.stringify(figures));
  else {
    console.log(
      `overhead: ${(100 * overhead).toFixed(1)} % of the time that the SDK alone needs, model ${model}`,
    );
    console.log(`          ${(100 * cpuOverhead).toFixed(1)} % of processor time, all processes together`);
    console.log(`memory:   ${long.peakMiB} MiB at most over ${values.slices} slices`);
  }
} finally {
  host.disconnect();
  await once(host, 'exit');
}
