import { readFileSync } from 'node:fs';

/** Peak resident memory of a process since it started, MiB (VmHWM of Linux). */
export function peakMemoryMiB(pid: number | 'self' = 'self'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return Math.round(Number(kibibytes) / 1024);
}
