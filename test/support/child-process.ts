import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';

/** A program that a test started; it ends with the test. */
export interface TestProcess {
  readonly pid: number;
  /** Last lines of both outputs. */
  output(): string;
  readonly exited: boolean;
  /** Sends a signal and waits until the process has ended. */
  end(signal: 'SIGTERM' | 'SIGKILL' | 'SIGINT'): Promise<void>;
}

const kept = 20_000;

/** @throws Error if the program cannot be started */
export async function startProcess(
  command: string,
  args: readonly string[],
  options: Pick<SpawnOptions, 'uid' | 'gid' | 'cwd' | 'env'> = {},
): Promise<TestProcess> {
  const child: ChildProcess = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => (text = (text + chunk).slice(-kept)));
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    pid: child.pid as number,
    output: () => text,
    get exited() {
      return child.exitCode !== null || child.signalCode !== null;
    },
    async end(signal) {
      child.kill(signal);
      await ended;
    },
  };
}

/** Asks every 50 ms until the answer is true. @throws Error with `what` after `seconds` */
export async function until(
  what: string | (() => string),
  condition: () => Promise<boolean> | boolean,
  seconds = 60,
): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (!(await condition())) {
    if (performance.now() > end)
      throw new Error(`waited ${seconds} s: ${typeof what === 'string' ? what : what()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
