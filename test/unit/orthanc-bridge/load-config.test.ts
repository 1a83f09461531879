import { describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { loadConfig, parseConfig } from '@cipherdose/orthanc-bridge';

const yaml = `
host: { url: https://host.example.org }
orthancs:
  - name: pacs
    url: http://127.0.0.1:8042
    username: bridge
    password: \${ENV:ORTHANC_PASSWORD}
rules:
  - name: chest
    match: { bodyPart: CHEST, kernel: [B3*, /^FC/] }
    action: { model: linear }
`;
const source = { file: 'bridge.yaml', folder: '/etc/bridge', environment: { ORTHANC_PASSWORD: 'hunter2' } };

const detailsOf = async (text: string): Promise<Readonly<Record<string, unknown>>> => {
  const error: unknown = await parseConfig(text, source).catch((thrown: unknown) => thrown);
  if (!(error instanceof DenoiseError)) throw new Error('parseConfig did not refuse');
  expect(error.code).toBe('CONFIG_INVALID');
  return error.details;
};

describe('a configuration', () => {
  test('gets its defaults, secrets from the environment and absolute paths', async () => {
    const config = await parseConfig(yaml, source);
    expect(config.orthancs[0]).toMatchObject({ password: 'hunter2', timeoutSeconds: 60 });
    expect(config.dataFolder).toBe('/etc/bridge/cipherdose-bridge-data');
    expect(config.rules[0]?.action).toMatchObject({ strength: 1, gaps: 'quarantine', priority: 0 });
    expect(config.watch.backfill).toBe(false);
  });

  test('may be JSON', async () => {
    const json = JSON.stringify({
      host: { url: 'http://h:1' },
      orthancs: [{ name: 'a', url: 'http://o:2' }],
      rules: [],
    });
    expect((await parseConfig(json, source)).orthancs[0]?.name).toBe('a');
  });

  test('takes secrets from files beside it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'config-'));
    writeFileSync(join(folder, 'secret'), 'from a file\n');
    writeFileSync(join(folder, 'bridge.yaml'), yaml.replace(/password: .*/, 'passwordFile: secret'));
    expect((await loadConfig(join(folder, 'bridge.yaml'), {})).orthancs[0]?.password).toBe('from a file');
    rmSync(folder, { recursive: true });
  });

  test.each([
    ['an unknown field', yaml.replace('username', 'user'), 6, 'orthancs.0.user'],
    ['a missing field', yaml.replace('    url: http://127.0.0.1:8042\n', ''), 4, 'orthancs.0.url'],
    ['a wrong address', yaml.replace('http://127', 'ftp://127'), 5, 'orthancs.0.url'],
    ['a broken expression', yaml.replace('/^FC/', '/^(FC/'), 10, 'rules.0.match.kernel'],
    ['an unknown target', yaml.replace('linear }', 'linear, writeTo: x }'), 11, 'rules.0.action.writeTo'],
    ['two passwords', yaml.replace('rules:', '    passwordFile: x\nrules:'), 8, 'orthancs.0.passwordFile'],
  ])('with %s is refused with line and field', async (_what, text, line, field) => {
    const details = await detailsOf(text);
    expect(details).toMatchObject({ file: 'bridge.yaml', line });
    expect(String(details['field']).startsWith(field)).toBe(true);
  });

  test('that is no YAML, or lacks a variable, is refused with the line', async () => {
    expect(await detailsOf('host: [\n')).toMatchObject({ file: 'bridge.yaml', line: 2 });
    expect(await detailsOf(yaml.replace('ORTHANC_PASSWORD', 'MISSING'))).toMatchObject({
      line: 7,
      reason: 'the environment variable MISSING is not set',
    });
  });
});
