import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface ServedPage {
  /** The address that the program prints. */
  readonly url: string;
  readonly origin: string;
  stop(): Promise<void>;
}

/** Runs a compiled program that serves a page and prints its address. @param program named from the repository's root */
export async function startServedPage(program: string, ...args: readonly string[]): Promise<ServedPage> {
  const script = fileURLToPath(new URL(`../../${program}`, import.meta.url));
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      const [address] = /http:\/\/127\.0\.0\.1:\d+\S*/.exec(line) ?? [];
      if (address) resolve(address);
    });
    void exited.then(() => reject(new Error(`${program} ended with ${child.exitCode}`)));
  });
  return {
    url,
    origin: new URL(url).origin,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
