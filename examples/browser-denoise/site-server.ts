import { createServer, type Server } from 'node:http';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.dcm': 'application/dicom',
};

export interface SiteServer {
  /** For example `http://127.0.0.1:8090`. */
  readonly origin: string;
  /** The model host that the page starts with, and the only one that it may talk to. */
  setHostUrl(url: string): void;
  close(): Promise<void>;
}

/** Serves the built page to this machine only. @param port 0 takes a free one */
export async function serveSite(folder: string, port: number): Promise<SiteServer> {
  let hostUrl = '';
  const files = ['index.html', 'style.css', 'icon.svg', 'main.js', 'dicom-worker.js', 'he-worker.js'];
  const served = new Set([...files, 'seal_allows.wasm', 'sample.dcm']);

  const server = createServer((request, response) => {
    const name = new URL(request.url ?? '/', 'http://localhost').pathname.slice(1) || 'index.html';
    const content =
      name === 'config.json'
        ? Promise.resolve(Buffer.from(JSON.stringify({ hostUrl })))
        : served.has(name) && request.method === 'GET'
          ? readFile(join(folder, name))
          : Promise.reject(new Error('no such file'));
    content.then(
      (body) => response.writeHead(200, headers(hostUrl, contentTypes[extname(name)])).end(body),
      () => response.writeHead(404, headers(hostUrl, 'text/plain')).end('Not found'),
    );
  });
  const origin = await listenLocally(server, port);
  return {
    origin,
    setHostUrl: (url) => (hostUrl = new URL(url).origin),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Even a page that was tampered with could send pixels nowhere but to the model host. */
function headers(hostUrl: string, contentType = 'application/octet-stream'): Record<string, string> {
  const policy = [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    // Sessions of private mode are WebSockets, which a policy names by a scheme of their own.
    `connect-src 'self' ${hostUrl} ${hostUrl.replace(/^http/, 'ws')}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    'content-type': contentType,
    'content-security-policy': policy.join('; '),
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-cache',
  };
}

function listenLocally(server: Server, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () =>
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    );
  });
}
