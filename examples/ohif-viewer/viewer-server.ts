import { createReadStream, readFileSync, statSync } from 'node:fs';
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, extname, join, normalize } from 'node:path';
import { pipeline } from 'node:stream';
import { holdsAddresses, placeUnder } from './sub-path.ts';

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
};

export interface ViewerServerOptions {
  /** Folder of the prebuilt OHIF. */
  readonly ohif: string;
  /** Path of the viewer on its origin; begins and ends with `/`. */
  readonly base: string;
  /** Folder of the extension's bundles. */
  readonly bundles: string;
  /** The DICOMweb archive behind `/dicom-web` and `/wado`. */
  readonly archiveUrl: string;
  /** Content of `app-config.js`, asked for at each start of the viewer. */
  readonly appConfig: () => string;
  /** Address of the model host, or its path on this origin: the page may connect to it besides itself. */
  readonly hostUrl: () => string;
  /** Isolates the page (COOP and COEP). */
  readonly isolated: boolean;
  readonly port: number;
}

export interface ViewerServer {
  readonly origin: string;
  close(): Promise<void>;
}

/** Serves OHIF, the extension and, on the same origin, the archive; to this machine only. */
export async function serveViewer(options: ViewerServerOptions): Promise<ViewerServer> {
  const { base } = options;
  const server = createServer((request, response) => {
    const { pathname: whole } = new URL(request.url ?? '/', 'http://localhost');
    for (const [name, value] of Object.entries(headers(options))) response.setHeader(name, value);
    if (!whole.startsWith(base)) return void response.writeHead(404).end();
    const pathname = whole.slice(base.length - 1);
    if (/^\/(dicom-web|wado)(\/|$)/.test(pathname)) return passOn(request, response, options);
    if (pathname === '/app-config.js')
      return void response
        .writeHead(200, { 'content-type': contentTypes['.js'], 'cache-control': 'no-store' })
        .end(options.appConfig());
    const plugin = /^\/plugins\/cipherdose\/([\w.-]+)$/.exec(pathname)?.[1];
    const file = plugin
      ? join(options.bundles, plugin)
      : join(options.ohif, normalize(decodeURIComponent(pathname)));
    sendFile(response, file, options);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Even an extension that was tampered with could send pixels nowhere but to the archive and the model host. */
function headers({ hostUrl, isolated }: ViewerServerOptions): Record<string, string> {
  const host = hostUrl();
  // Sessions of private mode are WebSockets, which a policy names by a scheme of their own.
  const hosts = URL.canParse(host) ? [new URL(host).origin, new URL(host.replace(/^http/, 'ws')).origin] : [];
  const connect = ["connect-src 'self' blob: data:", ...hosts].join(' ');
  return {
    'content-security-policy': `${connect}; object-src 'none'; base-uri 'self'`,
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    ...(isolated
      ? {
          'cross-origin-opener-policy': 'same-origin',
          'cross-origin-embedder-policy': 'require-corp',
          'cross-origin-resource-policy': 'same-origin',
        }
      : {}),
  };
}

function passOn(
  request: IncomingMessage,
  response: ServerResponse,
  { archiveUrl, base }: ViewerServerOptions,
): void {
  const { method, url = '/', headers: sent } = request;
  const path = url.slice(base.length - 1);
  // The archive writes addresses into its answers: with the page's own host they lead back here.
  const headers = { ...sent, forwarded: `host=${sent.host ?? ''};proto=http` };
  const onward = forward(new URL(path, archiveUrl), { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    // An answer that breaks off breaks off here too: nobody takes half a file for a whole one.
    pipeline(answer, response, () => undefined);
  });
  onward.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
  response.on('close', () => onward.destroy());
  request.pipe(onward);
}

/** A file, or the page for every address that is none: OHIF finds its own way. */
function sendFile(response: ServerResponse, file: string, { ohif, base }: ViewerServerOptions): void {
  const found = isFile(file);
  if (!found && extname(basename(file)) in contentTypes) return void response.writeHead(404).end();
  const sent = found ? file : join(ohif, 'index.html');
  response.writeHead(200, {
    'content-type': contentTypes[extname(sent)] ?? 'application/octet-stream',
    'cache-control': 'no-cache',
  });
  if (base !== '/' && sent.startsWith(ohif) && holdsAddresses(sent))
    response.end(placeUnder(base, sent, readFileSync(sent, 'utf8')));
  else createReadStream(sent).pipe(response);
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
