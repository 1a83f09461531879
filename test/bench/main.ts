// npm run bench [-- --json] [-- --slices N] [-- --no-literature]: figures that README and CHANGELOG may quote. On
// shared machines quote ratios of one run.
import { parseArgs } from 'node:util';
import { benchKernel } from './kernel-bench.ts';
import { benchLiterature, type LiteratureFigures } from './literature-bench.ts';
import { benchClear, benchSeries } from './slice-bench.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    slices: { type: 'string', default: '100' },
    literature: { type: 'boolean', default: true },
  },
  allowNegative: true,
});
const slices = Number(values.slices);
const model = 'balanced';
const say = (line: string): void => console.error(line);

say('kernel against node-seal ...');
const kernel = await benchKernel();
say(`encrypted series of ${slices} slices, ${model} ...`);
const series = await benchSeries(model, slices);
say('the same network in onnxruntime, one thread ...');
const clearSeconds = await benchClear(model, 5);
say('encrypted series of 12 slices, linear ...');
const linear = await benchSeries('linear', 12);
const literature: LiteratureFigures[] = [];
if (values.literature)
  for (const name of ['filter-bank', 'ffdnet', 'rcan', 'unet', 'dncnn', 'redcnn', 'nafnet', 'redcnn-96']) {
    say(`one slice of 512x512, ${name} ...`);
    literature.push(await benchLiterature(name));
  }

const figures = {
  kernel,
  slice: {
    model,
    slices: series.slices,
    encryptedSeconds: series.secondsPerSlice,
    firstSliceSeconds: series.firstSliceSeconds,
    clearSeconds,
    ratio: series.secondsPerSlice / clearSeconds,
  },
  bytes: { up: series.bytesUp, down: series.bytesDown },
  memory: { hostPeakMiB: series.hostPeakMiB, clientPeakMiB: series.clientPeakMiB },
  linear: {
    encryptedSeconds: linear.secondsPerSlice,
    bytesUp: linear.bytesUp,
    bytesDown: linear.bytesDown,
  },
  literature,
};

if (values.json) console.log(JSON.stringify(figures));
else {
  console.log(
    `kernel: ${kernel.kernelMicroseconds.toFixed(2)} us a product, node-seal ${kernel.sealMicroseconds.toFixed(1)} us: ${kernel.ratio.toFixed(1)} x, bit-equal: ${kernel.bitEqual}`,
  );
  console.log(
    `slice:  ${figures.slice.encryptedSeconds.toFixed(2)} s encrypted, ${clearSeconds.toFixed(3)} s in onnxruntime: ${figures.slice.ratio.toFixed(1)} x`,
  );
  console.log(
    `bytes:  ${(series.bytesUp / 1e6).toFixed(1)} MB up, ${(series.bytesDown / 1e6).toFixed(1)} MB down`,
  );
  console.log(
    `memory: host ${series.hostPeakMiB} MiB, client ${series.clientPeakMiB} MiB (peak, ${slices} slices)`,
  );
  console.log(
    `linear: ${linear.secondsPerSlice.toFixed(2)} s a slice, ${((linear.bytesUp + linear.bytesDown) / 1e6).toFixed(1)} MB`,
  );
  for (const network of literature)
    console.log(
      `${network.name}: import ${network.importSeconds.toFixed(0)} s, ${network.importPeakMiB} MiB; slice ` +
        `${network.encryptedSeconds.toFixed(1)} s, ${((network.bytesUp + network.bytesDown) / 1e6).toFixed(0)} MB, ` +
        `${network.rounds} rounds, equal to the clear: ${network.exact}`,
    );
}
