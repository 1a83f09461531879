// Fetches what the tests and the example need of OHIF from npm, and checks its SHA-512:
//   node tools/fetch-ohif.mjs [VERSION...]   prebuilt viewers (@ohif/app) into .cache/ohif/VERSION
//   node tools/fetch-ohif.mjs core           the managers and services (@ohif/core) into .cache/ohif-core/VERSION
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** SHA-512 of each package, as npm lists it; the extension is tested in these. */
const integrity = JSON.parse(readFileSync(new URL('./ohif-versions.json', import.meta.url), 'utf8'));

const cache = join(dirname(fileURLToPath(import.meta.url)), '../.cache');
const wanted = process.argv.slice(2);
if (wanted[0] === 'core') for (const version of Object.keys(integrity.core)) have('core', version);
else
  for (const version of wanted.length > 0 ? wanted : Object.keys(integrity.app).slice(0, 1))
    have('app', version);

function have(name, version) {
  if (!Object.hasOwn(integrity[name], version)) fail(`Not a version that is tested: ${version}`);
  const folder = join(cache, name === 'app' ? 'ohif' : 'ohif-core', version);
  if (!existsSync(folder) || readdirSync(folder).length === 0) fetchPackage(name, version, folder);
  console.log(`@ohif/${name} ${version}: ${folder}`);
}

function fetchPackage(name, version, folder) {
  const unpacked = `${folder}.${process.pid}.part`;
  mkdirSync(unpacked, { recursive: true });
  console.log(`Fetching @ohif/${name} ${version} from npm${name === 'app' ? ' (about 50 MB)' : ''}`);
  const packed = run('npm', [
    'pack',
    `@ohif/${name}@${version}`,
    '--json',
    '--silent',
    '--pack-destination',
    unpacked,
  ]);
  const archive = join(unpacked, JSON.parse(packed)[0].filename);
  const digest = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  if (digest !== integrity[name][version])
    fail(`@ohif/${name} ${version} has another SHA-512 than expected: ${digest}`);
  run('tar', ['xzf', archive, '-C', unpacked, '--strip-components=2', '--exclude=*.map', 'package/dist']);
  rmSync(archive);
  rmSync(folder, { recursive: true, force: true });
  renameSync(unpacked, folder);
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
