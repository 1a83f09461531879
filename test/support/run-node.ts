import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  /** Sent when standard error first contains `after`. */
  readonly interrupt?: { readonly after: string };
}

/** Runs a compiled program of the repository, named from its root, with nothing in its environment but PATH. */
export function runNode(
  program: string,
  words: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  const script = fileURLToPath(new URL(`../../${program}`, import.meta.url));
  const { cwd, interrupt } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...words], {
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(cwd === undefined ? {} : { cwd }),
    });
    let [stdout, stderr, interrupted] = ['', '', false];
    child.stdout.on('data', (text: Buffer) => (stdout += text.toString()));
    child.stderr.on('data', (text: Buffer) => {
      stderr += text.toString();
      if (!interrupt || interrupted || !stderr.includes(interrupt.after)) return;
      interrupted = child.kill('SIGINT');
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** The JSON of the last line. */
export const lastLine = (text: string): unknown =>
  JSON.parse(text.trim().split('\n').at(-1) ?? '') as unknown;
