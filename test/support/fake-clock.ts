import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireDebian } from './debian-packages.ts';

/** The wall clock of processes that a test starts; their monotonic clock stays as it is, as when somebody sets the time. */
export interface FakeClock {
  /** Environment of the processes. */
  readonly env: NodeJS.ProcessEnv;
  /** @param seconds by which the clock differs from the real one */
  set(seconds: number): void;
  close(): void;
}

/** Uses libfaketime, and installs it if it is missing. */
export function fakeClock(): FakeClock {
  requireDebian(['faketime']);
  const folder = mkdtempSync(join(tmpdir(), 'clock-'));
  const file = join(folder, 'offset');
  const [machine] = readdirSync('/usr/lib').filter((name) => name.endsWith('-linux-gnu'));
  const set = (seconds: number): void => writeFileSync(file, `${seconds < 0 ? '' : '+'}${seconds}\n`);
  set(0);
  return {
    env: {
      ...process.env,
      LD_PRELOAD: `/usr/lib/${machine}/faketime/libfaketimeMT.so.1`,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
    },
    set,
    close: () => rmSync(folder, { recursive: true }),
  };
}
