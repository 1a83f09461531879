import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClientOver, DenoiseError, type DenoiseClient, type Transport } from '@cipherdose/sdk';
import { readCtSlice } from '@cipherdose/sdk/dicom';
import { blend } from '@cipherdose/sdk/image';
import { denoiseFiles, type DenoiseFilesOptions } from '#sdk/cli/denoise-files.js';
import { evaluateClear } from '#server/network/clear-evaluator.js';
import { integers } from '../../../support/arbitraries.ts';
import { makeCtDicom } from '../../../support/make-ct.ts';
import { memoryHost } from '../../../support/memory-host.ts';
import { oneLayerNetwork } from '../../../support/random-network.ts';
import { sampleFile } from '../../../support/sample-files.ts';

const network = oneLayerNetwork(4);
const host = memoryHost(network);
const side = 24;

let root: string;
let options: DenoiseFilesOptions;
let client: DenoiseClient;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'cipherdose-'));
});
afterAll(() => rm(root, { recursive: true }));
beforeEach(async () => {
  client = createClientOver(host, { workers: 1 });
  const { id, version, digest } = await client.model('random');
  const out = join(root, `out-${Math.random()}`);
  options = { model: { id, version, digest }, mode: 'linear', out, timestamp: new Date(0) };
});
afterEach(() => client.close());

async function writeSlices(count: number): Promise<string[]> {
  const folder = await mkdtemp(join(root, 'in-'));
  const next = integers(count);
  const files = Array.from({ length: count }, (_, i) => join(folder, `${i + 1}.dcm`));
  for (const [i, file] of files.entries()) {
    const hu = Array.from({ length: side * side }, () => next(-1000, 2000));
    await writeFile(file, makeCtDicom({ rows: side, columns: side, hu, instanceNumber: i + 1 }));
  }
  return files;
}

const imageOf = async (file: string) => readCtSlice(await readFile(file)).image;
const filesIn = async (folder: string) =>
  (await readdir(folder, { recursive: true })).filter((name) => name.includes('.'));

describe('denoiseFiles', () => {
  it('writes what the clear evaluator gives, pixel by pixel', async () => {
    const files = await writeSlices(5);
    const report = await denoiseFiles(client, files, options);
    expect(report.failures).toEqual([]);
    expect([...report.outputs.keys()].sort()).toEqual(files);
    for (const [file, output] of report.outputs)
      expect(await imageOf(output)).toEqual(evaluateClear(network, await imageOf(file)));
    expect(await filesIn(options.out)).toHaveLength(5);
    const detail = await client.model('random');
    expect(report.bytesUp).toBeGreaterThan(0);
    expect(detail.cost.bytesUp).toBeGreaterThan(report.bytesUp);
    expect(report.secondsPerSlice).toBeGreaterThan(0);
  });

  it('mixes at a strength, says so, and gives such a series UIDs of its own', async () => {
    const files = await writeSlices(1);
    const [whole] = (await denoiseFiles(client, files, options)).outputs.values();
    const out = `${options.out}-mixed`;
    const report = await denoiseFiles(client, files, { ...options, out, strengthPercent: 30 });
    const [mixed] = [...report.outputs.values()].map((file) => readFileSync(file));
    const source = await imageOf(files[0] as string);
    const slice = readCtSlice(mixed as Buffer);
    expect(slice.image).toEqual(blend(source, evaluateClear(network, source), 30));
    expect(slice.sopInstanceUid).not.toBe(readCtSlice(await readFile(whole as string)).sopInstanceUid);
    expect((mixed as Buffer).includes('then mixed: 30% result, 70% source')).toBe(true);
  });

  it('writes the same bytes again', async () => {
    const files = await writeSlices(2);
    const [first, second] = [
      await denoiseFiles(client, files, options),
      await denoiseFiles(client, files, options),
    ];
    expect([...second.outputs].sort()).toEqual([...first.outputs].sort());
    const [output] = first.outputs.values();
    const before = await readFile(output as string);
    await denoiseFiles(client, files, { ...options, timestamp: new Date(1e12) });
    const later = await readFile(output as string);
    expect(later.equals(before)).toBe(false);
    expect(readCtSlice(later).sopInstanceUid).toBe(readCtSlice(before).sopInstanceUid);
    expect(readCtSlice(later).seriesInstanceUid).toBe(readCtSlice(before).seriesInstanceUid);
  });

  it('names every file that cannot be read, and does the others', async () => {
    const files = await writeSlices(2);
    const folder = await mkdtemp(join(root, 'bad-'));
    const bad: Record<string, string> = {
      'corrupt/garbage': 'DICOM_PARSE',
      'corrupt/truncated': 'DICOM_PARSE',
      'corrupt/no-rows': 'DICOM_ATTRIBUTE_MISSING',
      'corrupt/short-pixeldata': 'DICOM_PIXEL_LENGTH',
      'jpeg-baseline': 'DICOM_COMPRESSED',
      'legacy-enhanced': 'DICOM_MULTIFRAME',
    };
    for (const name of Object.keys(bad))
      await writeFile(join(folder, name.replace('/', '-')), sampleFile(name));
    const [denoised] = (await denoiseFiles(client, files.slice(0, 1), options)).outputs.values();
    const inputs = Object.keys(bad).map((name) => join(folder, name.replace('/', '-')));
    const others = [join(folder, 'missing.dcm'), folder, denoised as string];
    const report = await denoiseFiles(client, [...inputs, ...others, ...files], options);
    expect(report.failures.map(({ file, code }) => [file, code])).toEqual([
      ...inputs.map((file, i) => [file, Object.values(bad)[i]]),
      [others[0], 'FILE_UNREADABLE'],
      [others[1], 'FILE_UNREADABLE'],
      [others[2], 'DICOM_DENOISED'],
    ]);
    expect([...report.outputs.keys()].sort()).toEqual(files);
    for (const line of report.lines('out').slice(0, 9)) expect(line).toMatch(/^failed {2}\S+: [A-Z_]+: ./);
  });

  it('does an instance once, and names its copy', async () => {
    const [file] = await writeSlices(1);
    const copy = join(root, 'copy.dcm');
    await writeFile(copy, await readFile(file as string));
    const report = await denoiseFiles(client, [file as string, copy], options);
    expect([...report.outputs.keys()]).toEqual([file]);
    expect(report.failures.map(({ file, code }) => [file, code])).toEqual([[copy, 'DICOM_DUPLICATE']]);
  });

  it('reads only what is under way', async () => {
    const files = await writeSlices(12);
    let read = 0;
    let most = 0;
    const watched: Transport = {
      ...host,
      evaluate: async (request, signal) => {
        const slices = (await filesIn(options.out).catch(() => [])).filter((name) => name.endsWith('.dcm'));
        most = Math.max(most, read - slices.length);
        return host.evaluate(request, signal);
      },
    };
    const over = createClientOver(watched, { workers: 1 });
    const counting: DenoiseClient = {
      ...over,
      denoise: (images, choice) => {
        async function* counted() {
          for await (const image of images as AsyncIterable<never>) {
            read++;
            yield image;
          }
        }
        return over.denoise(counted(), choice);
      },
    };
    const report = await denoiseFiles(counting, files, options);
    over.close();
    expect(report.outputs.size).toBe(12);
    expect(read).toBe(12);
    expect(most).toBeLessThanOrEqual(4);
  });

  it('gives up when the host is gone, and still names every file', async () => {
    const files = await writeSlices(30);
    let calls = 0;
    const gone = createClientOver(
      {
        ...host,
        evaluate: async (request, signal) => {
          calls++;
          if (calls > 3) throw new DenoiseError('HOST_UNREACHABLE');
          return host.evaluate(request, signal);
        },
      },
      { workers: 1, attempts: 1 },
    );
    const report = await denoiseFiles(gone, files, options);
    gone.close();
    expect(report.outputs.size).toBe(3);
    expect(report.failures).toHaveLength(27);
    expect(new Set(report.failures.map(({ code }) => code))).toEqual(new Set(['HOST_UNREACHABLE']));
    expect(calls).toBeLessThan(12);
  });

  it('stops when it is cancelled, and leaves no half-written file', async () => {
    const files = await writeSlices(10);
    const controller = new AbortController();
    const report = await denoiseFiles(client, files, {
      ...options,
      signal: controller.signal,
      onProgress: ({ slicesDone }) => slicesDone === 2 && controller.abort(),
    });
    expect(report.outputs.size + report.failures.length).toBe(10);
    expect(new Set(report.failures.map(({ code }) => code))).toEqual(new Set(['CANCELLED']));
    const written = await filesIn(options.out).catch(() => []);
    expect(written.filter((name) => !name.endsWith('.dcm'))).toEqual([]);
  });

  it('says that it cannot write', async () => {
    const files = await writeSlices(1);
    await mkdir(options.out, { recursive: true });
    const out = join(options.out, 'file');
    await writeFile(out, '');
    const report = await denoiseFiles(client, files, { ...options, out });
    expect(report.failures).toMatchObject([{ file: files[0], code: 'FILE_UNWRITABLE' }]);
  });
});
