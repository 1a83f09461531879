import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { frameContentType } from '@cipherdose/sdk/protocol';
import { requireDebian } from '../support/debian-packages.ts';
import { requestFrame } from '../support/tiny-models.ts';
import { writeTinyModel } from '../support/tiny-model-folder.ts';

const main = fileURLToPath(new URL('../../server/dist/main.js', import.meta.url));
let folder: string;
let models: string;
let digest: string;
beforeAll(async () => {
  requireDebian(['openssl']);
  folder = await mkdtemp(join(tmpdir(), 'cipherdose-server-'));
  models = join(folder, 'models');
  digest = await writeTinyModel(models);
  await writeFile(join(folder, 'tls.yaml'), 'tls: { certFile: none.pem, keyFile: none.pem }\n');
});
afterAll(() => rm(folder, { recursive: true }));

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `cipherdose-server` in the test folder. */
class ServerProcess {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  #stdout = '';
  #stderr = '';

  constructor(...words: string[]) {
    this.child = spawn(process.execPath, [main, ...words], {
      cwd: folder,
      env: { PATH: process.env['PATH'] },
    });
    this.child.stdout?.on('data', (text: Buffer) => (this.#stdout += text.toString()));
    this.child.stderr?.on('data', (text: Buffer) => (this.#stderr += text.toString()));
    this.finished = new Promise((resolve) => {
      this.child.once('close', (code) => resolve({ code, stdout: this.#stdout, stderr: this.#stderr }));
    });
  }

  /** @returns the address, once it listens */
  async url(): Promise<string> {
    for (;;) {
      const url = /model host at (\S+)/.exec(this.#stderr)?.[1];
      if (url !== undefined) return url;
      if (this.child.exitCode !== null) throw new Error(this.#stderr);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

describe('a served host', () => {
  test('answers, logs facts only, and ends well on SIGTERM', async () => {
    const server = new ServerProcess('--models', models, '--port', '0', '--open', '--threads', '1');
    const url = await server.url();
    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ status: 'ready', models: 1 });
    const frame = requestFrame({ digest });
    const response = await fetch(`${url}/v1/models/tiny/layers/0?patient=Doe`, {
      method: 'POST',
      body: frame,
      headers: { 'content-type': frameContentType, authorization: 'Bearer not-a-secret-of-mine' },
    });
    expect(response.status).toBe(200);
    await response.arrayBuffer();
    server.child.kill('SIGTERM');
    const { code, stdout, stderr } = await server.finished;
    expect(code).toBe(0);
    expect(stderr).toContain('WARNING: the host is open');
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.filter(({ msg }) => msg === 'request').at(-1)).toMatchObject({
      requestId: response.headers.get('x-request-id'),
      method: 'POST',
      route: '/v1/models/:id/layers/:layer',
      status: 200,
      code: 'OK',
      bytesIn: frame.length,
      bytesOut: Number(response.headers.get('content-length')),
    });
    expect(stdout).not.toMatch(/Doe|Bearer|not-a-secret/);
  });

  test('with keys lets only their owners in', async () => {
    const added = await new ServerProcess('keys', 'add', 'radiology').finished;
    expect(added.code).toBe(0);
    const key = added.stdout.trim().split('\n').at(-1) ?? '';
    const server = new ServerProcess(
      '--models',
      models,
      '--port',
      '0',
      '--threads',
      '1',
      '--log-level',
      'silent',
    );
    const url = await server.url();
    expect((await fetch(`${url}/v1/models`)).status).toBe(401);
    const headers = { authorization: `Bearer ${key}` };
    expect((await fetch(`${url}/v1/models`, { headers })).status).toBe(200);
    server.child.kill('SIGINT');
    const { code, stdout, stderr } = await server.finished;
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).not.toContain(key);
  });

  test('speaks TLS if it is given a certificate', async () => {
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')];
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', ...names, ...files],
      {
        stdio: 'ignore',
      },
    );
    await writeFile(
      join(folder, 'host.yaml'),
      'port: 0\nopen: true\ntls: { certFile: cert.pem, keyFile: key.pem }\n',
    );
    const server = new ServerProcess('--config', 'host.yaml', '--models', models, '--threads', '1');
    const url = await server.url();
    expect(url).toMatch(/^https:/);
    const ca = await readFile(join(folder, 'cert.pem'));
    const status = await new Promise((resolve, reject) => {
      get(`${url}/readyz`, { ca, agent: false }, (response) => {
        response.resume().once('end', () => resolve(response.statusCode));
      }).once('error', reject);
    });
    expect(status).toBe(200);
    server.child.kill('SIGTERM');
    expect((await server.finished).code).toBe(0);
  });
});

describe('a command line', () => {
  test.each([
    [0, ['--help'], 'Usage: cipherdose-server'],
    [0, ['--version'], '0.'],
    [2, ['--no-such-flag'], 'unknown option'],
    [2, ['nonsense'], 'too many arguments'],
    [2, ['--open', '--port', 'abc'], 'port'],
    [2, ['--open', '--threads', '0'], 'threads'],
    [2, ['--open', '--host', '0.0.0.0'], 'openToNetwork'],
    [2, ['--keys-file', 'nowhere.json'], 'keys add NAME'],
    [2, ['keys', 'revoke'], 'missing required argument'],
    [2, ['import', 'model.onnx'], 'required option'],
    [1, ['import', 'none.onnx', '--id', 'a', '--version', '1.0.0', '--calibrate', 'none'], ''],
    [1, ['--config', 'none.yaml'], 'FILE_UNREADABLE'],
    [1, ['--open', '--config', 'tls.yaml'], 'FILE_UNREADABLE'],
    [1, ['--open', '--port', '0', '--models', 'none'], 'MODEL_INVALID'],
  ])('exits with %i: %j', async (code, words, text) => {
    const finished = await new ServerProcess(...words).finished;
    expect(finished.stdout + finished.stderr).toContain(text);
    expect(finished.code).toBe(code);
  });
});
