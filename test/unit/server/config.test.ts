import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkConfig } from '#server/config.js';
import { loadConfig } from '#server/config-sources.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cipherdose-config-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('a configuration', () => {
  test('has safe defaults', () => {
    expect(checkConfig({})).toMatchObject({ host: '127.0.0.1', port: 8080, open: false, corsOrigins: [] });
    expect(checkConfig({ private: { slices: 1 } }).private).toMatchObject({ maxSessions: 4, slices: 1 });
  });

  test.each([
    [{ port: 65_536 }, 'port'],
    [{ port: '80' }, 'port'],
    [{ threads: 0 }, 'threads'],
    [{ rateLimit: { max: 0, perSeconds: 1 } }, 'rateLimit.max'],
    [{ rateLimit: { max: 1 } }, 'rateLimit.perSeconds'],
    [{ corsOrigins: ['https://viewer.example.org/'] }, 'corsOrigins.0'],
    [{ corsOrigins: ['javascript:alert(1)'] }, 'corsOrigins.0'],
    [{ tls: { certFile: 'cert.pem' } }, 'tls.keyFile'],
    [{ logLevel: 'loud' }, 'logLevel'],
    [{ maxBodyBytes: 2 ** 40 }, 'maxBodyBytes'],
    [{ bodyTimeoutMs: 10_000, requestTimeoutMs: 5_000 }, 'requestTimeoutMs'],
    [{ maxBytesInFlight: 1024 }, 'maxBytesInFlight'],
    [{ private: { slices: 0 } }, 'private.slices'],
    [{ private: { quota: { activations: 0, perSeconds: 1 } } }, 'private.quota.activations'],
    [{ private: { sessions: 1 } }, 'private.sessions'],
    [{ ports: 1 }, 'ports'],
    [{ open: true, host: '0.0.0.0' }, 'open'],
    [{ open: true, host: '::' }, 'open'],
    [{ open: true, host: 'host.example.org' }, 'open'],
  ])('%j is refused by name', (settings, field) => {
    expect(() => checkConfig(settings)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', details: expect.objectContaining({ field }) }),
    );
  });

  test('may be open where nobody else comes, or where it says so twice', () => {
    for (const host of ['127.0.0.1', '::1', 'localhost'])
      expect(checkConfig({ open: true, host }).open).toBe(true);
    expect(checkConfig({ open: true, openToNetwork: true, host: '0.0.0.0' }).open).toBe(true);
  });
});

describe('sources', () => {
  test('flags win over the environment, and that over the file', async () => {
    const file = join(folder, 'host.yaml');
    await writeFile(
      file,
      'port: 1\nthreads: 1\nmaxQueue: 1\nmodels: here\ntls: { certFile: a.pem, keyFile: /b.pem }\n',
    );
    const environment = {
      CIPHERDOSE_THREADS: '2',
      CIPHERDOSE_MAX_QUEUE: '2',
      CIPHERDOSE_HOST: '::1',
      CIPHERDOSE_RATE_LIMIT: '{ max: 9, perSeconds: 3 }',
      CIPHERDOSE_CORS_ORIGINS: '["https://viewer.example.org"]',
      CIPHERDOSE_LOG_LEVEL: '',
    };
    const config = await loadConfig({ file, environment, flags: { maxQueue: 3, host: undefined } });
    expect(config).toMatchObject({
      port: 1,
      threads: 2,
      maxQueue: 3,
      host: '::1',
      models: join(folder, 'here'),
      tls: { certFile: join(folder, 'a.pem'), keyFile: '/b.pem' },
      rateLimit: { max: 9, perSeconds: 3 },
      corsOrigins: ['https://viewer.example.org'],
      logLevel: 'info',
    });
  });

  test('JSON is as good as YAML, and an empty file says nothing', async () => {
    const file = join(folder, 'host.json');
    await writeFile(file, '{ "port": 17 }');
    expect((await loadConfig({ file, environment: {}, flags: {} })).port).toBe(17);
    await writeFile(file, '');
    expect((await loadConfig({ file, environment: {}, flags: {} })).port).toBe(8080);
  });

  test('what cannot be read is named', async () => {
    const file = join(folder, 'host.yaml');
    const load = () => loadConfig({ file, environment: {}, flags: {} });
    await expect(load()).rejects.toMatchObject({ code: 'FILE_UNREADABLE', details: { file } });
    for (const text of ['[1, 2]', 'a: b: c: d', '- x']) {
      await writeFile(file, text);
      await expect(load()).rejects.toMatchObject({ code: 'CONFIG_INVALID', details: { field: file } });
    }
    const environment = { CIPHERDOSE_PORT: '{' };
    await expect(loadConfig({ environment, flags: {} })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      details: { field: 'CIPHERDOSE_PORT' },
    });
  });
});
