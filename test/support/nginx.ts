import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProcess, until } from './child-process.ts';
import { requireDebian } from './debian-packages.ts';
import { freePort } from './free-port.ts';

/** Debian's nginx with the configuration of examples/deploy, in front of hosts of the test. */
export interface Nginx {
  readonly url: string;
  close(): Promise<void>;
}

export interface NginxOptions {
  /** host:port of each. */
  readonly hosts: readonly [string, string];
  /** Changes the configuration further. */
  readonly change?: (text: string) => string;
}

/** Addresses of clients are what they say in x-forwarded-for: a test has only one of its own. */
export async function startNginx({ hosts, change = (text) => text }: NginxOptions): Promise<Nginx> {
  requireDebian(['nginx-light']);
  const folder = await mkdtemp(join(tmpdir(), 'cipherdose-nginx-'));
  const port = await freePort();
  const example = fileURLToPath(new URL('../../examples/deploy/nginx.conf', import.meta.url));
  const replacements: readonly (readonly [string | RegExp, string])[] = [
    ['worker_processes auto;', 'worker_processes 1; daemon off; pid nginx.pid; error_log stderr;'],
    [
      'listen 443 ssl;',
      `listen 127.0.0.1:${port}; set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For;`,
    ],
    [/ *ssl_certificate(_key)? .*\n/g, ''],
    ['model-host-1:8080', hosts[0]],
    ['model-host-2:8080', hosts[1]],
    ['http {', `http { ${temporary.map((name) => `${name}_temp_path ${name};`).join(' ')}`],
  ];
  let text = await readFile(example, 'utf8');
  for (const [from, to] of replacements) {
    const next = text.replace(from, to);
    if (next === text) throw new Error(`the example has no ${String(from)}`);
    text = next;
  }
  await mkdir(join(folder, 'logs'));
  await writeFile(join(folder, 'nginx.conf'), change(text));
  const nginx = await startProcess('/usr/sbin/nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')]);
  const url = `http://127.0.0.1:${port}`;
  await until(
    () => `nginx answers: ${nginx.output()}`,
    async () => {
      if (nginx.exited) throw new Error(nginx.output());
      return fetch(`${url}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      );
    },
    20,
  );
  return {
    url,
    close: async () => {
      await nginx.end('SIGTERM');
      await rm(folder, { recursive: true });
    },
  };
}

const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
