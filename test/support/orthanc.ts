import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProcess, until, type TestProcess } from './child-process.ts';
import { requireDebian } from './debian-packages.ts';
import { freePort } from './free-port.ts';

export interface OrthancOptions {
  /** Seconds without a new instance after which a series is stable; default 1. */
  readonly stableAge?: number;
  /** Storage folder; default: a new one, removed at the end. */
  readonly storage?: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Environment of the process. */
  readonly env?: NodeJS.ProcessEnv;
}

/** A real Orthanc on the loopback address, with a name of its own. */
export interface TestOrthanc {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly pid: number;
  upload(
    bytes: Uint8Array,
  ): Promise<{ readonly ID: string; readonly ParentSeries: string; readonly Status: string }>;
  get<T>(path: string): Promise<T>;
  file(instance: string): Promise<Uint8Array>;
  send(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: string): Promise<Response>;
  /** SIGTERM or SIGKILL, then a new process on the same port and storage. */
  restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Ends the process; {@link start} brings it back. */
  stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  start(): Promise<void>;
  /** Ends it for good and removes its files. */
  close(): Promise<void>;
}

const [username, password] = ['bridge', 'secret'];

/** Installs Orthanc if it is missing. @throws Error if it cannot be had or does not start */
export async function startOrthanc(options: OrthancOptions = {}): Promise<TestOrthanc> {
  requireDebian(['orthanc', 'orthanc-dicomweb']);
  const folder = mkdtempSync(join(tmpdir(), 'orthanc-'));
  const storage = options.storage ?? join(folder, 'storage');
  const port = await freePort();
  const name = `test-${port}-${process.pid}`;
  const url = `http://127.0.0.1:${port}`;
  const config = join(folder, 'orthanc.json');
  const settings = {
    ...{ Name: name, HttpPort: port, StorageDirectory: storage, IndexDirectory: storage },
    ...{ DicomServerEnabled: false, RemoteAccessAllowed: false, ExecuteLuaEnabled: false, Plugins: [] },
    ...{ AuthenticationEnabled: true, RegisteredUsers: { [username]: password } },
    ...{ StableAge: options.stableAge ?? 1, ...options.settings },
  };
  writeFileSync(config, JSON.stringify(settings));
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const call = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(url + path, { ...init, headers: { authorization, 'accept-encoding': 'identity' } });
  let child: TestProcess | undefined;

  const orthanc: TestOrthanc = {
    ...{ url, username, password },
    get pid() {
      return child?.pid ?? 0;
    },
    async upload(bytes) {
      const response = await call('/instances', { method: 'POST', body: Buffer.from(bytes) });
      if (!response.ok) throw new Error(`upload: ${response.status} ${await response.text()}`);
      return (await response.json()) as { ID: string; ParentSeries: string; Status: string };
    },
    async get<T>(path: string) {
      const response = await call(path);
      if (!response.ok) throw new Error(`${path}: ${response.status}`);
      return (await response.json()) as T;
    },
    async file(instance) {
      return new Uint8Array(await (await call(`/instances/${instance}/file`)).arrayBuffer());
    },
    send: (method, path, body) => call(path, { method, ...(body === undefined ? {} : { body }) }),
    async stop(signal) {
      await child?.end(signal);
      child = undefined;
    },
    async start() {
      child = await startProcess('Orthanc', [config], { env: options.env ?? process.env });
      await until(
        () => `Orthanc does not start: ${child?.output()}`,
        async () => {
          if (child?.exited) throw new Error(`Orthanc ended: ${child.output()}`);
          return (await nameOf(call)) === name;
        },
        30,
      );
    },
    async restart(signal) {
      await orthanc.stop(signal);
      await orthanc.start();
    },
    async close() {
      await orthanc.stop('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await orthanc.start();
  return orthanc;
}

async function nameOf(call: (path: string) => Promise<Response>): Promise<string | undefined> {
  try {
    return ((await (await call('/system')).json()) as { Name?: string }).Name;
  } catch {
    return undefined;
  }
}
