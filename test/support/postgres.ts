import { execFileSync } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProcess, until } from './child-process.ts';
import { requireDebian } from './debian-packages.ts';
import { freePort } from './free-port.ts';

/** A real PostgreSQL on the loopback address with an empty database. */
export interface TestPostgres {
  readonly url: string;
  close(): Promise<void>;
}

/** Installs PostgreSQL if it is missing. It refuses to run as root, so then it runs as Debian's user `postgres`. */
export async function startPostgres(): Promise<TestPostgres> {
  requireDebian(['postgresql']);
  const versions = readdirSync('/usr/lib/postgresql').sort((a, b) => Number(b) - Number(a));
  const programs = `/usr/lib/postgresql/${versions[0]}/bin`;
  const folder = mkdtempSync(join(tmpdir(), 'postgres-'));
  const user = process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : undefined;
  if (user) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const options = { ...user, cwd: folder };
  const init = ['-D', data, '-U', 'bridge', '--auth', 'trust', '--no-sync', '-E', 'UTF8', '--no-locale'];
  execFileSync(`${programs}/initdb`, init, { ...options, stdio: 'ignore' });
  const port = await freePort();
  const settings = ['-c', 'listen_addresses=127.0.0.1', '-c', 'fsync=off', '-k', folder];
  const server = await startProcess(
    `${programs}/postgres`,
    ['-D', data, '-p', String(port), ...settings],
    options,
  );
  await until(
    () => `PostgreSQL starts: ${server.output()}`,
    () => server.output().includes('ready to accept connections'),
  );
  return {
    url: `postgres://bridge@127.0.0.1:${port}/postgres`,
    async close() {
      // A fast shutdown: it does not wait for clients.
      await server.end('SIGINT');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const idOf = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
