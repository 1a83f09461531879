import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** From where the compiled file lies: what the compiler writes, what it does not touch, and the charts. */
const compiled = new URL('../page/', import.meta.url);
const written = new URL('../../../src/status/page/', import.meta.url);
const charts = pathToFileURL(createRequire(import.meta.url).resolve('uplot'));

/** Serves the page. Its files are known by name and read once: there is no path that could lead elsewhere. */
export const pageFiles = fp(
  async (app: FastifyInstance) => {
    const scripts = (await readdir(compiled)).filter((name) => name.endsWith('.js'));
    const files: readonly (readonly [address: string, file: URL])[] = [
      ['/', new URL('index.html', written)],
      ...['style.css', 'icon.svg'].map((name) => [`/assets/${name}`, new URL(name, written)] as const),
      ...scripts.map((name) => [`/assets/${name}`, new URL(name, compiled)] as const),
      ...['uPlot.iife.min.js', 'uPlot.min.css'].map(
        (name) => [`/assets/${name}`, new URL(name, charts)] as const,
      ),
    ];
    for (const [address, file] of files) {
      const content = await readFile(file);
      app.get(address, { config: { public: true } }, (_request, reply) =>
        reply.type(contentTypes[extname(file.pathname)] ?? 'application/octet-stream').send(content),
      );
    }
  },
  { name: 'page-files', dependencies: ['login'] },
);
