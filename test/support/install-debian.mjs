// What the tests need from Debian: judges of DICOM that nobody here wrote, and a browser.
//   node test/support/install-debian.mjs [PACKAGE...]
// Does nothing if every program is there. Else it says what it installs and runs apt-get, as root or through sudo.
import { spawnSync } from 'node:child_process';

/** A command that succeeds only when the package is installed. */
const probes = {
  dicom3tools: ['sh', ['-c', 'command -v dciodvfy && command -v dcentvfy']],
  dcmtk: ['sh', ['-c', 'command -v dcmdump']],
  'python3-numpy': ['/usr/bin/python3', ['-c', 'import numpy']],
  'python3-pydicom': ['/usr/bin/python3', ['-c', 'import pydicom']],
  chromium: ['sh', ['-c', 'command -v chromium']],
  'nginx-light': ['sh', ['-c', 'command -v nginx || ls /usr/sbin/nginx']],
  faketime: ['sh', ['-c', 'ls /usr/lib/*/faketime/libfaketimeMT.so.1']],
  orthanc: ['sh', ['-c', 'command -v Orthanc']],
  'orthanc-dicomweb': ['sh', ['-c', 'ls /usr/share/orthanc/plugins/libOrthancDicomWeb.so']],
  openssl: ['sh', ['-c', 'command -v openssl']],
  postgresql: ['sh', ['-c', 'ls /usr/lib/postgresql/*/bin/initdb']],
  systemd: ['sh', ['-c', 'command -v systemd-analyze']],
};

const isMissing = (name) => {
  const [command, args] = probes[name];
  return spawnSync(command, args, { stdio: 'ignore' }).status !== 0;
};

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(probes);
const unknown = wanted.filter((name) => !(name in probes));
if (unknown.length > 0) fail(`Unknown package: ${unknown.join(' ')}`);

const missing = wanted.filter(isMissing);
if (missing.length > 0) {
  console.log(`Installing from Debian: ${missing.join(' ')}`);
  const asRoot = (...command) => {
    const root = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
    const [program, ...rest] = [...root, 'env', 'DEBIAN_FRONTEND=noninteractive', ...command];
    return spawnSync(program, rest, { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
  };
  const apt = (...args) => asRoot('apt-get', '-qq', '-o', 'DPkg::Lock::Timeout=300', ...args);
  const shell = (script) => asRoot('sh', '-c', script);
  // Debian starts the daemons of what it installs, and again at every boot; the tests start their own.
  const policy = '/usr/sbin/policy-rc.d';
  const denied = shell(
    `test ! -e ${policy} && printf '#!/bin/sh\\nexit 101\\n' > ${policy} && chmod 755 ${policy}`,
  );
  apt('update');
  apt('install', '-y', '--no-install-recommends', ...missing);
  if (denied) shell(`rm ${policy}`);
  const services = { orthanc: 'orthanc', postgresql: 'postgresql', 'nginx-light': 'nginx' };
  const daemons = missing.flatMap((name) => services[name] ?? []).join(' ');
  if (daemons !== '') shell(`! command -v systemctl >/dev/null || systemctl -q disable ${daemons}`);
  const still = missing.filter(isMissing);
  if (still.length > 0) fail(`Missing: run as root  apt-get install ${still.join(' ')}`);
}
console.log(`There: ${wanted.join(' ')}`);

function fail(message) {
  console.error(message);
  process.exit(1);
}
