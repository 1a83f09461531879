import { readFileSync } from 'node:fs';

/** Processor time of a process since it started, user and system, seconds (Linux counts in hundredths). */
export function processorSeconds(pid: number): number {
  // Behind the name in parentheses: state is field 3, user time 14, system time 15.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Peak resident memory of a process since it started, MiB (VmHWM of Linux). */
export function peakMemoryMiB(pid: number | 'self' = 'self'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return Math.round(Number(kibibytes) / 1024);
}
