import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export type DebianPackage =
  | 'dicom3tools'
  | 'dcmtk'
  | 'python3-numpy'
  | 'python3-pydicom'
  | 'chromium'
  | 'faketime'
  | 'orthanc'
  | 'orthanc-dicomweb'
  | 'openssl'
  | 'postgresql';

/** Makes sure that the packages are installed, installing them if it may. @throws Error if a program is missing. */
export function requireDebian(packages: readonly DebianPackage[]): void {
  const script = fileURLToPath(new URL('./install-debian.mjs', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...packages], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${stdout}${stderr}`);
  if (stdout.includes('Installing')) process.stdout.write(stdout);
}
