import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkConfig } from '#server/config.js';
import { keysCommand } from '#server/commands/keys-command.js';
import { KeyRing } from '#server/keys/key-ring.js';
import { listen, type RunningHost } from '#server/listen.js';
import { exchangeRaw, postHead } from '../support/raw-http.ts';
import { stubEvaluator, stubModels } from '../support/tiny-models.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cipherdose-keys-'));
  file = join(folder, 'keys.json');
});
afterEach(() => rm(folder, { recursive: true }));

/** Runs `keys ...` and returns what it printed. */
async function keys(...words: string[]): Promise<string[]> {
  const printed: string[] = [];
  const command = keysCommand((line) => printed.push(line));
  await command.parseAsync([...words, '--keys-file', file], { from: 'user' });
  return printed;
}

async function addKey(name: string): Promise<{ key: string; id: string }> {
  const printed = await keys('add', name);
  return { key: printed.at(-1) ?? '', id: /^key (\w+)/.exec(printed[0] ?? '')?.[1] ?? '' };
}

describe('the key file', () => {
  test('never holds a key, is for its owner only, and leaves no temporary file', async () => {
    const { key, id } = await addKey('radiology');
    expect(key).toMatch(/^cdk_[\w-]{43}$/);
    const text = await readFile(file, 'utf8');
    expect(text).not.toContain(key);
    expect(text).not.toContain(key.slice(4));
    expect(text).toContain(id);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await addKey('research');
    expect(await readdir(folder)).toEqual(['keys.json']);
  });

  test('lists names and revocations, not keys', async () => {
    const first = await addKey('radiology');
    const second = await addKey('research');
    await keys('revoke', first.id);
    const listed = (await keys('list')).join('\n');
    expect(listed).toMatch(new RegExp(`${first.id} .* revoked .* radiology`));
    expect(listed).toMatch(new RegExp(`${second.id} .* valid +research`));
    expect(listed).not.toContain(first.key);
  });

  test('refuses what it cannot keep', async () => {
    await addKey('radiology');
    await expect(keys('revoke', '00000000')).rejects.toMatchObject({ code: 'USAGE' });
    await expect(keys('add', '')).rejects.toMatchObject({ code: 'USAGE' });
    await writeFile(file, '{"format":"cipherdose-keys/1","keys":[{"id":1}]}');
    await expect(keys('list')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(keys('add', 'more')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(KeyRing.open(join(folder, 'none.json'))).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });
});

describe('a host with keys', () => {
  let host: RunningHost;
  const ask = async (authorization?: string, path = '/v1/models'): Promise<[number, string]> => {
    const response = await fetch(
      host.url + path,
      authorization === undefined ? {} : { headers: { authorization } },
    );
    const body = (await response.json().catch(() => ({}))) as { error?: { code: string } };
    return [response.status, body.error?.code ?? 'OK'];
  };
  const start = async (settings: object = {}): Promise<void> => {
    host = await listen({
      config: checkConfig({ port: 0, logLevel: 'silent', keysFile: file, ...settings }),
      models: stubModels(),
      evaluator: stubEvaluator(),
      keys: await KeyRing.open(file),
    });
  };
  afterEach(() => host.close());

  test('takes a good key and no other', async () => {
    const { key } = await addKey('radiology');
    await start();
    expect(await ask(`Bearer ${key}`)).toEqual([200, 'OK']);
    expect(await ask(`bearer ${key}`)).toEqual([200, 'OK']);
    const wrong = [
      undefined,
      '',
      'Bearer',
      'Bearer ',
      `Basic ${key}`,
      key,
      `Bearer ${key}x`,
      `Bearer ${key} x`,
    ];
    for (const header of [...wrong, `Bearer ${key.slice(0, -1)}`, `Bearer cdk_${'A'.repeat(43)}`])
      expect(await ask(header)).toEqual([401, 'UNAUTHENTICATED']);
    const response = await fetch(`${host.url}/v1/models`);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
  });

  test('the hash of a key is no key', async () => {
    await addKey('radiology');
    const { keys: records } = JSON.parse(await readFile(file, 'utf8')) as { keys: { sha256: string }[] };
    await start();
    expect(await ask(`Bearer ${records[0]?.sha256 ?? ''}`)).toEqual([401, 'UNAUTHENTICATED']);
  });

  test('learns of new and revoked keys at once', async () => {
    const first = await addKey('radiology');
    await start();
    const second = await addKey('research');
    expect(await ask(`Bearer ${second.key}`)).toEqual([200, 'OK']);
    await keys('revoke', first.id);
    expect(await ask(`Bearer ${first.key}`)).toEqual([401, 'UNAUTHENTICATED']);
    expect(await ask(`Bearer ${second.key}`)).toEqual([200, 'OK']);
  });

  test('lets nobody in while its key file cannot be read', async () => {
    const { key } = await addKey('radiology');
    await start();
    const good = await readFile(file);
    await writeFile(file, '{"keys":');
    expect(await ask(`Bearer ${key}`)).toEqual([500, 'INTERNAL']);
    await writeFile(file, good);
    expect(await ask(`Bearer ${key}`)).toEqual([200, 'OK']);
  });

  test('shows only its health and its description to everybody', async () => {
    const { key } = await addKey('radiology');
    await start();
    expect(await ask(undefined, '/healthz')).toEqual([200, 'OK']);
    expect(await ask(undefined, '/readyz')).toEqual([200, 'OK']);
    expect(await ask(undefined, '/v1/openapi.json')).toEqual([200, 'OK']);
    expect(await ask(undefined, '/metrics')).toEqual([401, 'UNAUTHENTICATED']);
    expect(await ask(undefined, '/v1/models/tiny')).toEqual([401, 'UNAUTHENTICATED']);
    expect(await ask(undefined, '/nowhere')).toEqual([404, 'ROUTE_UNKNOWN']);
    expect(await ask(`Bearer ${key}`, '/metrics')).toEqual([200, 'OK']);
  });

  test('reads nothing of a body without a key', async () => {
    await addKey('radiology');
    await start();
    const response = await exchangeRaw(host.url, postHead(1e6));
    expect([response.status, response.body]).toEqual([401, expect.stringContaining('UNAUTHENTICATED')]);
  });

  test('counts each key for itself, and guesses by address', async () => {
    const first = await addKey('radiology');
    const second = await addKey('research');
    await start({ rateLimit: { max: 2, perSeconds: 60 } });
    for (let i = 0; i < 2; i++) expect(await ask(`Bearer ${first.key}`)).toEqual([200, 'OK']);
    expect(await ask(`Bearer ${first.key}`)).toEqual([429, 'RATE_LIMITED']);
    expect(await ask(`Bearer ${second.key}`)).toEqual([200, 'OK']);
    for (let i = 0; i < 2; i++) expect(await ask('Bearer guess')).toEqual([401, 'UNAUTHENTICATED']);
    expect(await ask('Bearer guess')).toEqual([429, 'RATE_LIMITED']);
  });
});
