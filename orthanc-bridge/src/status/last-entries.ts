import { open } from 'node:fs/promises';
import type { AuditEntry } from '../audit/audit-trail.ts';

/** More than the longest entry, bytes. */
const entryBytes = 2048;

/** @returns the newest entries of an audit trail, newest first; reads only the end of the file. */
export async function lastEntries(path: string, most: number): Promise<AuditEntry[]> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - most * entryBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
    const lines = buffer.subarray(0, bytesRead).toString('utf8').split('\n');
    return lines.flatMap(parse).slice(-most).reverse();
  } finally {
    await file.close();
  }
}

/** The first line may be cut, and a line may be half from a crash. */
function parse(line: string): AuditEntry[] {
  try {
    const entry = JSON.parse(line) as AuditEntry;
    return typeof entry.number === 'number' ? [entry] : [];
  } catch {
    return [];
  }
}
