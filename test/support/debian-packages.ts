import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export type DebianPackage =
  | 'dicom3tools'
  | 'dcmtk'
  | 'python3-numpy'
  | 'python3-pydicom'
  | 'chromium'
  | 'faketime'
  | 'nginx-light'
  | 'orthanc'
  | 'orthanc-dicomweb'
  | 'openssl'
  | 'postgresql'
  | 'systemd';

// This file runs from its source (tests) and from test/dist/support (benchmarks).
const script = ['./install-debian.mjs', '../../support/install-debian.mjs']
  .map((path) => fileURLToPath(new URL(path, import.meta.url)))
  .find((path) => existsSync(path)) as string;

/** Makes sure that the packages are installed, installing them if it may. @throws Error if a program is missing. */
export function requireDebian(packages: readonly DebianPackage[]): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...packages], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${stdout}${stderr}`);
  if (stdout.includes('Installing')) process.stdout.write(stdout);
}
