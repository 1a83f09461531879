// Fetches prebuilt OHIF viewers, published on npm as @ohif/app, into .cache/ohif/VERSION.
//   node tools/fetch-ohif.mjs [VERSION...]
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** SHA-512 of each package, as npm lists it; the extension is tested in these. */
const integrity = JSON.parse(readFileSync(new URL('./ohif-versions.json', import.meta.url), 'utf8'));

const cache = join(dirname(fileURLToPath(import.meta.url)), '../.cache/ohif');
const versions = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(integrity).slice(0, 1);
for (const version of versions) {
  if (!Object.hasOwn(integrity, version)) fail(`Not a version that is tested: ${version}`);
  if (!existsSync(join(cache, version, 'index.html'))) fetchViewer(version);
  console.log(`OHIF ${version}: ${join(cache, version)}`);
}

function fetchViewer(version) {
  const unpacked = join(cache, `${version}.part`);
  rmSync(unpacked, { recursive: true, force: true });
  mkdirSync(unpacked, { recursive: true });
  console.log(`Fetching @ohif/app ${version} from npm (about 50 MB)`);
  const packed = run('npm', [
    'pack',
    `@ohif/app@${version}`,
    '--json',
    '--silent',
    '--pack-destination',
    unpacked,
  ]);
  const archive = join(unpacked, JSON.parse(packed)[0].filename);
  const digest = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  if (digest !== integrity[version])
    fail(`@ohif/app ${version} has another SHA-512 than expected: ${digest}`);
  run('tar', ['xzf', archive, '-C', unpacked, '--strip-components=2', '--exclude=*.map', 'package/dist']);
  rmSync(archive);
  rmSync(join(cache, version), { recursive: true, force: true });
  renameSync(unpacked, join(cache, version));
}

function run(command, args) {
  const { status, stdout, error } = spawnSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) fail(`${command} failed${error ? `: ${error.message}` : ''}`);
  return stdout;
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
