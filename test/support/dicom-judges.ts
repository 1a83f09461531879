import { execFileSync, spawnSync } from 'node:child_process';

/** Lines of dciodvfy (dicom3tools) that begin with Error; it writes everything to standard error. */
export const dciodvfyErrors = (path: string): string[] =>
  spawnSync('dciodvfy', [path], { encoding: 'utf8' })
    .stderr.split('\n')
    .filter((line) => line.startsWith('Error'));

/** What dcentvfy (dicom3tools) says about files that belong together; nothing if all is well. */
export function dcentvfyLines(paths: readonly string[]): string[] {
  const { stdout, stderr } = spawnSync('dcentvfy', paths, { encoding: 'utf8' });
  return `${stdout}${stderr}`.split('\n').filter((line) => line !== '');
}

/** Sums of the HU of each file as pydicom reads them. @throws Error if it cannot read one */
export function pydicomSums(paths: readonly string[]): number[] {
  const script = `
import json, sys, pydicom
def total(path):
    d = pydicom.dcmread(path)
    return int((d.pixel_array.astype('int64') * int(d.RescaleSlope) + int(d.RescaleIntercept)).sum())
print(json.dumps([total(path) for path in sys.argv[1:]]))`;
  const printed = execFileSync('/usr/bin/python3', ['-c', script, ...paths], { encoding: 'utf8' });
  return JSON.parse(printed) as number[];
}
