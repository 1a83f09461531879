import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/**
 * The files that a command line names: files as they are, folders with all that is in them, each file once, in an
 * order that depends on the names only. Hidden files, DICOMDIR and the folder `out` are left out of folders. A path
 * that cannot be read is kept, so that reading it names the reason.
 */
export async function collectInputs(inputs: readonly string[], out: string): Promise<string[]> {
  const files = new Map<string, string>();
  for (const input of inputs)
    for (const file of await filesOf(input, resolve(out)))
      if (!files.has(resolve(file))) files.set(resolve(file), file);
  return [...files.values()];
}

async function filesOf(path: string, out: string): Promise<string[]> {
  const kind = await stat(path).catch(() => undefined);
  return kind?.isDirectory() ? walk(path, out) : [path];
}

async function walk(folder: string, out: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
  if (!entries) return [folder];
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const files: string[] = [];
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.name.startsWith('.') || entry.name.toUpperCase() === 'DICOMDIR') continue;
    // Links to folders are not followed: they may lead round in a circle.
    if (entry.isDirectory()) {
      if (resolve(path) !== out) files.push(...(await walk(path, out)));
    } else if (entry.isFile() || (entry.isSymbolicLink() && !(await isDirectory(path)))) files.push(path);
  }
  return files;
}

const isDirectory = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
