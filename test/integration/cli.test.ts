import { afterAll, beforeAll, describe, expect, it, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startHost, type RunningHost } from '@cipherdose/server';
import { readCtSlice } from '@cipherdose/sdk/dicom';
import { issueKey, writeKeyFile } from '#server/keys/key-file.js';
import type { DataSet } from '#sdk/dicom/data-set.js';
import { parsePart10 } from '#sdk/dicom/part10-file.js';
import { tags } from '#sdk/dicom/tags.js';
import { integers } from '../support/arbitraries.ts';
import { attribute, makeCtDicom } from '../support/make-ct.ts';
import { lastLine, runNode, type Finished, type RunOptions } from '../support/run-node.ts';
import { sampleFile } from '../support/sample-files.ts';
import { writeTinyModel } from '../support/tiny-model-folder.ts';

const cli = (words: readonly string[], options?: RunOptions): Promise<Finished> =>
  runNode('sdk/dist/cli/main.js', words, options);

const side = 40;
let root: string;
let open: RunningHost;
let keyed: RunningHost;
let keyFile: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'cipherdose-cli-'));
  await writeTinyModel(join(root, 'models'));
  const { key, record } = issueKey('radiology', new Date());
  await writeKeyFile(join(root, 'keys.json'), [record]);
  await writeFile((keyFile = join(root, 'key')), `${key}\n`);
  const host = { models: join(root, 'models'), threads: 1 };
  open = await startHost(host);
  keyed = await startHost({ ...host, keysFile: join(root, 'keys.json') });
});
afterAll(async () => {
  await Promise.all([open.close(), keyed.close()]);
  await rm(root, { recursive: true });
});

function ctFile(
  instanceNumber: number,
  patch: Parameters<typeof makeCtDicom>[0]['patch'] = new Map(),
): Uint8Array {
  const next = integers(instanceNumber);
  const hu = Array.from({ length: side * side }, () => next(-1000, 2000));
  return makeCtDicom({ rows: side, columns: side, hu, instanceNumber, patch });
}

/** A folder with these files in it. */
async function folderOf(files: Readonly<Record<string, Uint8Array>>): Promise<string> {
  const folder = await mkdtemp(join(root, 'in-'));
  for (const [name, bytes] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), bytes);
  }
  return folder;
}

const filesIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true })).filter((name) => name.includes('.')).sort();

describe('cipherdose denoise', () => {
  it('does what can be done, names what cannot, and says so by its exit code', async () => {
    const folder = await folderOf({
      'series/1.dcm': ctFile(1),
      'series/2.dcm': ctFile(2),
      'series/no-slope.dcm': ctFile(3, new Map([[tags.rescaleSlope, null]])),
      'other/mr.dcm': ctFile(4, new Map([[tags.modality, attribute('CS', 'MR')]])),
      'other/compressed.dcm': sampleFile('jpeg-baseline'),
      'other/truncated.dcm': sampleFile('corrupt/truncated'),
      'other/empty.dcm': new Uint8Array(0),
      'readme.txt': new TextEncoder().encode('not DICOM'),
      DICOMDIR: new Uint8Array(10),
    });
    const out = join(root, 'out-mixed');
    const words = [
      folder,
      join(folder, 'missing.dcm'),
      '--out',
      out,
      '--server',
      open.url,
      '--model',
      'tiny',
    ];
    const { code, stdout, stderr } = await cli(['denoise', ...words, '--json']);
    expect(code).toBe(1);
    const report = lastLine(stdout) as { failures: { file: string; code: string; message: string }[] };
    expect(report).toMatchObject({ model: 'tiny', mode: 'linear', slices: { done: 2, failed: 7 }, out });
    expect(report).toMatchObject({ secondsPerSlice: expect.any(Number), bytesUp: expect.any(Number) });
    expect(
      Object.fromEntries(report.failures.map(({ file, code }) => [file.slice(folder.length + 1), code])),
    ).toEqual({
      'other/compressed.dcm': 'DICOM_COMPRESSED',
      'other/empty.dcm': 'DICOM_PARSE',
      'other/mr.dcm': 'DICOM_NOT_CT',
      'other/truncated.dcm': 'DICOM_PARSE',
      'readme.txt': 'DICOM_PARSE',
      'series/no-slope.dcm': 'DICOM_ATTRIBUTE_MISSING',
      'missing.dcm': 'FILE_UNREADABLE',
    });
    for (const { file, code, message } of report.failures)
      expect(stderr).toContain(`${file}: ${code}: ${message}`);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect(stdout + stderr).not.toContain('Phantom');
    const written = await filesIn(out);
    expect(written.map((name) => name.split('/').at(-1))).toEqual(['1.dcm', '2.dcm']);
    for (const name of written) expect(readCtSlice(await readFile(join(out, name))).header.rows).toBe(side);
  });

  it('speaks to people without --json', async () => {
    const folder = await folderOf({ '1.dcm': ctFile(1), 'bad.dcm': new Uint8Array(9) });
    const words = [
      '--out',
      join(root, 'out-people'),
      '--server',
      open.url,
      '--model',
      'tiny',
      '--workers',
      '1',
    ];
    const { code, stdout, stderr } = await cli(['denoise', folder, ...words]);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^Mode linear: The host learns .+\nfailed {2}\S+bad\.dcm: DICOM_PARSE: .+\n1 slice denoised into \S+; .+ a slice\n1 file failed\n$/,
    );
    expect(stderr).toMatch(/^tiny: 1\/\d slices? .*\n$/);
  });

  it('gives the same files again, times apart', async () => {
    const folder = await folderOf({ '1.dcm': ctFile(1), '2.dcm': ctFile(2) });
    const outs = [join(root, 'out-first'), join(root, 'out-second')] as const;
    for (const out of outs) {
      const { code } = await cli(['denoise', folder, '--out', out, '--server', open.url, '--model', 'tiny']);
      expect(code).toBe(0);
    }
    const names = await filesIn(outs[0]);
    expect(names).toHaveLength(2);
    expect(await filesIn(outs[1])).toEqual(names);
    const seriesTimes = new Set<string>();
    for (const name of names) {
      const [first, second] = await Promise.all(outs.map((out) => readFile(join(out, name))));
      expect(withoutTimes(parsePart10(first as Buffer).dataSet)).toEqual(
        withoutTimes(parsePart10(second as Buffer).dataSet),
      );
      const time = parsePart10(first as Buffer).dataSet.get(tags.seriesTime)?.value;
      seriesTimes.add(new TextDecoder().decode(time));
    }
    expect(seriesTimes.size).toBe(1);
  });

  it('stops when it is interrupted, and leaves no half-written file', async () => {
    const files = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`${i}.dcm`, ctFile(i + 1)]));
    const out = join(root, 'out-interrupted');
    const words = [await folderOf(files), '--out', out, '--server', open.url, '--model', 'tiny', '--json'];
    const { code, stdout } = await cli(['denoise', ...words], { interrupt: { after: 'tiny: 1/60' } });
    expect(code).toBe(1);
    const { slices, failures } = lastLine(stdout) as {
      slices: Record<string, number>;
      failures: { code: string }[];
    };
    expect(slices['done']).toBeGreaterThan(0);
    expect(failures).toHaveLength(60 - (slices['done'] as number));
    expect(new Set(failures.map((failure) => failure.code))).toEqual(new Set(['CANCELLED']));
    expect(await filesIn(out)).toHaveLength(slices['done'] as number);
  });
});

describe('a host', () => {
  it('lists its models', async () => {
    const { code, stdout } = await cli(['models', '--server', open.url, '--json']);
    expect(code).toBe(0);
    expect(lastLine(stdout)).toMatchObject({
      models: [{ id: 'tiny', modes: ['linear'], cost: { rounds: 1 } }],
    });
    const people = await cli(['models', '--server', open.url]);
    expect(people.stdout).toMatch(/^MODEL .*\ntiny +1\.0\.0 +linear +1 .*One convolution, for tests\n$/);
  });

  it('is examined', async () => {
    const { code, stdout } = await cli(['doctor', '--server', open.url, '--json']);
    const { ok, checks } = lastLine(stdout) as { ok: boolean; checks: { name: string; status: string }[] };
    expect(Object.fromEntries(checks.map(({ name, status }) => [name, status]))).toEqual({
      Node: 'ok',
      WebAssembly: 'ok',
      'worker threads': 'ok',
      server: 'ok',
      clock: 'ok',
      TLS: 'skipped',
      models: 'ok',
      'known answer: tiny': 'ok',
    });
    expect([code, ok]).toEqual([0, true]);
  });

  it('wants a key where it has keys', async () => {
    const without = await cli(['models', '--server', keyed.url, '--json']);
    expect([without.code, lastLine(without.stdout)]).toMatchObject([
      1,
      { error: { code: 'UNAUTHENTICATED' } },
    ]);
    const withKey = await cli(['models', '--server', keyed.url, '--api-key-file', keyFile]);
    expect(withKey.code).toBe(0);
    expect(withKey.stdout).toContain('tiny');
  });

  it('is missed when it is not there', async () => {
    const nowhere = ['--server', 'http://127.0.0.1:9'];
    const examined = await cli(['doctor', ...nowhere]);
    expect(examined.code).toBe(1);
    expect(examined.stdout).toMatch(/failed +server +http:\/\/127\.0\.0\.1:9 cannot be reached/);
    const folder = await folderOf({ '1.dcm': ctFile(1) });
    const denoised = await cli(['denoise', folder, '--out', join(root, 'out-nowhere'), ...nowhere]);
    expect(denoised.code).toBe(1);
    expect(denoised.stderr).toContain('cipherdose: HOST_UNREACHABLE: The host cannot be reached');
  });
});

describe('a command line', () => {
  const out = ['--out', 'nowhere'];
  const volumes = ['--low', 'a.i16', '--reference', 'a.i16'];
  test.each([
    [0, ['--help'], 'Usage: cipherdose'],
    [0, ['denoise', '--help'], 'Exit code: 0 done'],
    [0, ['--version'], '0.1.0'],
    [2, [], 'Usage: cipherdose'],
    [2, ['nonsense'], 'unknown command'],
    [2, ['denoise', ...out], 'missing required argument'],
    [2, ['denoise', 'a.dcm'], 'required option'],
    [2, ['denoise', 'a.dcm', ...out, '--no-such-flag'], 'unknown option'],
    [2, ['denoise', 'a.dcm', ...out, '--mode', 'magic'], 'Allowed choices'],
    [2, ['denoise', 'a.dcm', ...out, '--workers', '0'], 'whole number'],
    [2, ['denoise', 'a.dcm', ...out, '--server', 'ftp://example.org'], 'USAGE'],
    [2, ['denoise', 'empty', ...out], 'no files in the folders'],
    [1, ['models', '--server', 'http://127.0.0.1:9', '--api-key-file', 'none'], 'FILE_UNREADABLE'],
    [2, ['evaluate', ...volumes], 'required option'],
    [2, ['evaluate', ...volumes, '--shape', '1,8'], 'Not Z,Y,X'],
    [2, ['evaluate', ...volumes, '--shape', '1,8,6'], 'Not Z,Y,X'],
    [2, ['evaluate', ...volumes, '--shape', '0,8,8'], 'Not Z,Y,X'],
    [2, ['evaluate', ...volumes, '--shape', '1,8,9'], 'USAGE'],
    [1, ['evaluate', '--low', 'none.i16', '--reference', 'a.i16', '--shape', '1,8,8'], 'FILE_UNREADABLE'],
  ])('exits with %i: %j', async (code, words, text) => {
    await mkdir(join(root, 'empty'), { recursive: true });
    await writeFile(join(root, 'a.i16'), new Uint8Array(128));
    const finished = await cli(words, { cwd: root });
    expect(finished.stdout + finished.stderr).toContain(text);
    expect(finished.code).toBe(code);
  });

  // npm links them when it installs, and the build comes after that.
  test.each(['cipherdose', 'cipherdose-server', 'cipherdose-bridge'])(
    'is there for npx: %s',
    async (name) => {
      const cwd = fileURLToPath(new URL('../..', import.meta.url));
      const { stdout } = await promisify(execFile)('npx', ['--no-install', name, '--version'], { cwd });
      expect(stdout.trim()).toBe('0.1.0');
    },
  );

  it('may name a model or a mode that the host does not have', async () => {
    const folder = await folderOf({ '1.dcm': ctFile(1) });
    const words = ['denoise', folder, '--out', join(root, 'out-none'), '--server', open.url];
    const [model, mode] = [await cli(words), await cli([...words, '--model', 'tiny', '--mode', 'private'])];
    expect([model.code, mode.code]).toEqual([2, 2]);
    expect(model.stderr).toContain('MODEL_UNKNOWN');
    expect(mode.stderr).toContain('MODE_UNSUPPORTED');
  });
});

const times: ReadonlySet<number> = new Set([
  ...[tags.instanceCreationDate, tags.instanceCreationTime, tags.seriesDate, tags.seriesTime],
  ...[tags.contentDate, tags.contentTime, tags.contributionDateTime],
]);

/** Everything that a derived object says but when it was made. */
function withoutTimes(dataSet: DataSet): unknown {
  return [...dataSet]
    .filter(([tag]) => !times.has(tag))
    .map(([tag, { vr, value, items }]) => [
      tag,
      vr,
      Buffer.from(value).toString('hex'),
      items?.map(withoutTimes),
    ]);
}
