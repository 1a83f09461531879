import { statfs } from 'node:fs/promises';

/** @returns room for ordinary users on the disk of a folder, megabytes (2^20 bytes). */
export async function freeMegabytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return Math.floor((bavail * bsize) / 2 ** 20);
}
