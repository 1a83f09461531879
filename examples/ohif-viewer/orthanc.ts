import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Archive } from './archive.ts';

const plugin = '/usr/share/orthanc/plugins/libOrthancDicomWeb.so';

export const isOrthancInstalled = (): boolean =>
  existsSync(plugin) && spawnSync('Orthanc', ['--version'], { stdio: 'ignore' }).status === 0;

/** An Orthanc of our own. @throws Error if it is not installed or does not start */
export async function startOrthanc(): Promise<Archive> {
  if (!isOrthancInstalled()) throw new Error('Orthanc is missing: apt-get install orthanc orthanc-dicomweb');
  const folder = mkdtempSync(join(tmpdir(), 'cipherdose-orthanc-'));
  const port = await freePort();
  const name = `cipherdose-${port}-${process.pid}`;
  const url = `http://127.0.0.1:${port}`;
  const settings = {
    Name: name,
    HttpPort: port,
    HttpBindAddresses: ['127.0.0.1'],
    DicomServerEnabled: false,
    RemoteAccessAllowed: false,
    StorageDirectory: join(folder, 'storage'),
    IndexDirectory: join(folder, 'storage'),
    Plugins: [plugin],
    DicomWeb: {
      Enable: true,
      Root: '/dicom-web/',
      EnableWado: true,
      WadoRoot: '/wado',
      StudiesMetadata: 'Full',
      SeriesMetadata: 'Full',
    },
  };
  const config = join(folder, 'orthanc.json');
  writeFileSync(config, JSON.stringify(settings));
  const child = spawn('Orthanc', [config], { stdio: 'ignore' });
  const ended = once(child, 'exit');

  async function close(): Promise<void> {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await ended;
    }
    rmSync(folder, { recursive: true, force: true });
  }

  for (let tries = 0; (await nameOf(url)) !== name; tries++) {
    if (tries === 150 || child.exitCode !== null) {
      await close();
      throw new Error('Orthanc does not start');
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return {
    url,
    name: 'Orthanc',
    async upload(file) {
      const response = await fetch(`${url}/instances`, { method: 'POST', body: file });
      if (!response.ok) throw new Error(`Orthanc does not take a file: ${response.status}`);
    },
    close,
  };
}

async function nameOf(url: string): Promise<string | undefined> {
  try {
    return ((await (await fetch(`${url}/system`)).json()) as { Name?: string }).Name;
  } catch {
    return undefined;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
