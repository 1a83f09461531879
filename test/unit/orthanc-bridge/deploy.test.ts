import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { BridgeEvents, loadConfig } from '@cipherdose/orthanc-bridge';
import { checkConfig } from '@cipherdose/server';
import { bridgeConfigSchema } from '#bridge/config/config-schema.js';
import { createMetrics } from '#bridge/metrics.js';
import { Peers } from '#bridge/peers.js';
import { ruleSchema } from '#bridge/rules/rule-schema.js';
import { advisedCodes } from '#bridge/status/failure-advice.js';
import { addHealthMetrics } from '#bridge/status/health-metrics.js';
import { verifyPassword } from '#bridge/status/passwords.js';
import type { JobStore } from '#bridge/store/job-store.js';
import { requireDebian } from '../../support/debian-packages.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const deploy = join(root, 'examples/deploy');
const read = (name: string): string => readFileSync(join(deploy, name), 'utf8');
const manual = readFileSync(join(root, 'docs/orthanc-bridge.md'), 'utf8');

const composeSchema = z.object({
  services: z.record(
    z.string(),
    z.object({
      build: z.object({
        context: z.string(),
        dockerfile: z.string().transform((path) => join('/', path)),
        target: z.string(),
      }),
      secrets: z.array(z.string()).default([]),
      volumes: z.array(z.string()).default([]),
      networks: z.array(z.string()),
      environment: z.record(z.string(), z.string()).default({}),
    }),
  ),
  volumes: z.record(z.string(), z.unknown()),
  secrets: z.record(z.string(), z.object({ file: z.string() })),
});

const objectSchema = z.object({ kind: z.string(), spec: z.unknown().optional() });
const podSchema = z.object({
  replicas: z.int(),
  volumeClaimTemplates: z.array(z.object({ metadata: z.object({ name: z.string() }) })).default([]),
  template: z.object({
    metadata: z.object({ labels: z.object({ app: z.string() }) }),
    spec: z.object({
      containers: z.array(
        z.object({
          env: z.array(z.object({ name: z.string(), valueFrom: z.unknown().optional() })).default([]),
          volumeMounts: z.array(z.object({ name: z.string() })),
        }),
      ),
      volumes: z.array(
        z.object({
          name: z.string(),
          configMap: z.object({ name: z.string() }).optional(),
          secret: z.object({ secretName: z.string() }).optional(),
        }),
      ),
    }),
  }),
});

let secrets: string;
let said: string;

beforeAll(() => {
  requireDebian(['openssl']);
  secrets = mkdtempSync(join(tmpdir(), 'secrets-'));
  const { status, stdout, stderr } = spawnSync('sh', [join(deploy, 'make-secrets.sh'), secrets], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  said = stdout;
}, 60_000);
afterAll(() => rmSync(secrets, { recursive: true, force: true }));

const environment = (): Record<string, string> => ({
  ...{ BRIDGE_NAME: 'b-0', DATA: '/data', SECRETS: secrets },
  ...{ ORTHANC_URL: 'http://orthanc:8042', HOST_URL: 'http://host:8080' },
});

describe('secrets', () => {
  test('are readable by their owner only, fit each other, and are not made twice', async () => {
    for (const name of readdirSync(secrets)) expect(statSync(join(secrets, name)).mode & 0o077).toBe(0);
    const content = (name: string): string => readFileSync(join(secrets, name), 'utf8').trim();
    const [, password = ''] = /password (\w+)/.exec(said) ?? [];
    expect(await verifyPassword(password, content('page-password-hash'))).toBe(true);
    expect(JSON.parse(content('orthanc-users.json'))).toEqual({
      RegisteredUsers: { bridge: content('orthanc-password') },
    });
    expect(content('postgres-url')).toContain(`:${content('postgres-password')}@`);
    expect(content('host-api-key')).toMatch(/^cdk_/);
    const again = spawnSync('sh', [join(deploy, 'make-secrets.sh'), secrets], { encoding: 'utf8' });
    expect([again.status, again.stderr]).toEqual([1, expect.stringContaining('holds secrets already')]);
  });
});

describe('configurations', () => {
  test.each(['bridge.yaml', 'kubernetes/bridge-config.yaml'])('%s is taken by the bridge', async (name) => {
    const config = await loadConfig(join(deploy, name), environment());
    expect(config).toMatchObject({ name: 'b-0', host: { url: 'http://host:8080' }, status: { port: 8970 } });
    expect(config.orthancs[0]?.password).toMatch(/^\w{32}$/);
    expect(config.queue.postgres).toEqual(
      name === 'bridge.yaml' ? undefined : expect.stringContaining('postgres://'),
    );
  });

  test.each(['host.yaml', 'kubernetes/host-config.yaml'])('%s is taken by the host', (name) => {
    expect(checkConfig(parse(read(name)))).toMatchObject({ port: 8080, open: false });
  });

  test('Orthanc asks for a password and keeps what it has', () => {
    expect(JSON.parse(read('orthanc.json'))).toMatchObject({
      AuthenticationEnabled: true,
      OverwriteInstances: false,
    });
  });
});

describe('systemd', () => {
  const units = ['cipherdose-bridge.service', 'cipherdose-host.service'];

  test('both units are valid and start what is there', () => {
    requireDebian(['systemd']);
    const folder = mkdtempSync(join(tmpdir(), 'units-'));
    const files = units.map((name) => join(folder, name));
    for (const [index, name] of units.entries())
      writeFileSync(
        files[index] as string,
        read(`systemd/${name}`).replaceAll('/opt/cipherdose', root.slice(0, -1)),
      );
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', ...files], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    rmSync(folder, { recursive: true });
  });

  test('every program and secret that is named exists', () => {
    for (const name of units) {
      const unit = read(`systemd/${name}`);
      for (const [, path] of unit.matchAll(/\/opt\/cipherdose\/(\S+)/g))
        expect([path, existsSync(join(root, path ?? ''))]).toEqual([path, true]);
      for (const [, secret] of unit.matchAll(/secrets\/(\S+)/g))
        expect(readdirSync(secrets)).toContain(secret);
    }
  });
});

describe('containers', () => {
  const dockerfile = read('Dockerfile');
  const targets = [...dockerfile.matchAll(/^FROM \S+ AS (\w+)$/gm)].map(([, name]) => name);

  test('the images take what is there and start what they took', () => {
    for (const [, path] of dockerfile.matchAll(/^COPY --from=build \/app\/(\S+)/gm))
      expect([path, existsSync(join(root, path ?? ''))]).toEqual([path, true]);
    for (const [, program] of dockerfile.matchAll(/^CMD \["node", "(\S+)"/gm))
      expect([program, existsSync(join(root, program ?? ''))]).toEqual([program, true]);
  });

  test('compose names targets, files and secrets that exist, and keeps the host away from Orthanc', () => {
    const compose = composeSchema.parse(parse(read('compose.yaml')));
    expect(Object.keys(compose.services).sort()).toEqual(['bridge', 'host', 'orthanc']);
    for (const service of Object.values(compose.services)) {
      expect(targets).toContain(service.build.target);
      expect(existsSync(join(deploy, service.build.context, service.build.dockerfile))).toBe(true);
      for (const name of service.secrets) expect(Object.keys(compose.secrets)).toContain(name);
      for (const volume of service.volumes) {
        const [source = ''] = volume.split(':');
        if (source.startsWith('./secrets/')) expect(readdirSync(secrets)).toContain(source.slice(10));
        else if (source.startsWith('./'))
          expect([source, existsSync(join(deploy, source))]).toEqual([source, true]);
        else expect(Object.keys(compose.volumes)).toContain(source);
      }
    }
    for (const { file } of Object.values(compose.secrets))
      expect(readdirSync(secrets)).toContain(file.slice(10));
    const shared = compose.services['host']?.networks.filter((name) =>
      compose.services['orthanc']?.networks.includes(name),
    );
    expect(shared).toEqual([]);
    expect(Object.keys(compose.services['bridge']?.environment ?? {}).sort()).toEqual(
      Object.keys(environment()).sort(),
    );
  });
});

describe('Kubernetes', () => {
  const folder = 'kubernetes';
  const kustomization = parse(read(`${folder}/kustomization.yaml`)) as {
    resources: string[];
    configMapGenerator: { name: string; files: string[] }[];
    secretGenerator: { name: string; files: string[] }[];
  };
  const objects = kustomization.resources.flatMap((name) =>
    parseAllDocuments(read(`${folder}/${name}`)).map((document) => {
      expect(document.errors).toEqual([]);
      return objectSchema.parse(document.toJS());
    }),
  );
  const pods = objects.flatMap(({ kind, spec }) =>
    kind === 'Deployment' || kind === 'StatefulSet' ? [podSchema.parse(spec)] : [],
  );

  test('files that are named exist', () => {
    for (const { files } of kustomization.configMapGenerator)
      for (const file of files)
        expect(existsSync(join(deploy, folder, file.split('=').at(-1) ?? ''))).toBe(true);
    for (const { files } of kustomization.secretGenerator)
      for (const file of files) expect(readdirSync(secrets)).toContain(file.split('/').at(-1));
  });

  test('services, budgets and policies select pods that exist; pods mount what is made', () => {
    const apps = pods.map(({ template }) => template.metadata.labels.app).sort();
    expect(apps).toEqual(['bridge', 'host', 'postgres']);
    for (const { kind, spec } of objects) {
      const { selector, podSelector } = Object(spec) as Record<
        string,
        { app?: string; matchLabels?: { app: string } }
      >;
      const app = (selector ?? podSelector)?.matchLabels?.app ?? selector?.app;
      if (kind !== 'Namespace') expect(apps).toContain(app);
    }
    const made = (generators: { name: string }[]): string[] => generators.map(({ name }) => name);
    for (const { template, volumeClaimTemplates } of pods) {
      const volumes = [...template.spec.volumes, ...volumeClaimTemplates.map(({ metadata }) => metadata)];
      for (const { configMap, secret } of template.spec.volumes) {
        if (configMap) expect(made(kustomization.configMapGenerator)).toContain(configMap.name);
        if (secret) expect(made(kustomization.secretGenerator)).toContain(secret.secretName);
      }
      for (const container of template.spec.containers)
        for (const { name } of container.volumeMounts)
          expect(volumes.map((volume) => volume.name)).toContain(name);
    }
  });

  test('every bridge has a name and a data folder of its own', () => {
    const [bridge] = pods.filter(({ template }) => template.metadata.labels.app === 'bridge');
    expect(bridge?.replicas).toBeGreaterThan(1);
    const variables = bridge?.template.spec.containers[0]?.env.map(({ name }) => name) ?? [];
    expect(variables.sort()).toEqual(Object.keys(environment()).sort());
    expect(bridge?.template.spec.containers[0]?.env[0]?.valueFrom).toEqual({
      fieldRef: { fieldPath: 'metadata.name' },
    });
    expect(bridge?.volumeClaimTemplates.map(({ metadata }) => metadata.name)).toEqual(['data']);
  });
});

describe('monitoring', () => {
  test('Prometheus rules and the manual name metrics that exist', async () => {
    const events = new BridgeEvents();
    const registry = createMetrics(events, {} as JobStore, new Peers(events));
    addHealthMetrics(registry, {
      dataFolder: '.',
      diskFreeMegabytes: 1,
      paused: () => false,
      longestWait: async () => 0,
    });
    const names = registry.getMetricsAsArray().map(({ name }) => name);
    const used = [...new Set(read('prometheus-rules.yaml').match(/cipherdose_bridge_\w+/g))];
    expect(used.length).toBeGreaterThan(5);
    for (const name of used) expect(names).toContain(name);
    for (const name of names.filter((each) => each.startsWith('cipherdose_bridge_')))
      expect(manual).toContain(`${name.slice('cipherdose_bridge_'.length)}`);
  });
});

describe('the manual', () => {
  test('has every setting, condition and action', () => {
    const fields = [
      ...fieldsOf(bridgeConfigSchema),
      ...fieldsOf(ruleSchema.shape.match),
      ...fieldsOf(ruleSchema.shape.action),
    ];
    expect(fields.length).toBeGreaterThan(60);
    expect(fields.filter((name) => !new RegExp(`(?<![\\w-])${name}(?![\\w-])`).test(manual))).toEqual([]);
  });

  test('has every failure that the page has an advice for', () => {
    expect(advisedCodes.filter((code) => !manual.includes(`\`${code}\``))).toEqual([]);
  });

  test('shows pictures and files that exist', () => {
    for (const [, path] of manual.matchAll(/\]\((images\/\S+)\)/g))
      expect([path, existsSync(join(root, 'docs', path ?? ''))]).toEqual([path, true]);
    for (const [, path] of manual.matchAll(/(examples\/[\w./-]*\w)/g)) {
      const made = path?.endsWith('/secrets') ?? false;
      expect([path, made || existsSync(join(root, path ?? ''))]).toEqual([path, true]);
    }
  });

  test('has rules that the bridge takes', async () => {
    const [, rules = ''] = /```yaml\n(rules:[\s\S]*?)```/.exec(manual) ?? [];
    const { rules: list } = z.object({ rules: z.array(ruleSchema) }).parse(parse(rules));
    expect(list.map(({ name }) => name)).toEqual(['lung screening', 'trauma whole body', 'scanner 3']);
  });
});

/** Names of all fields in a schema, those of its parts included. */
function fieldsOf(schema: z.ZodType): string[] {
  const names = new Set<string>();
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const { properties = {}, ...rest } = node as { properties?: Record<string, unknown> };
    for (const [name, value] of Object.entries(properties)) {
      names.add(name);
      walk(value);
    }
    Object.values(rest).forEach(walk);
  };
  walk(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
  return [...names];
}
