import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface BrowserExample {
  /** Where the page is served. */
  readonly origin: string;
  stop(): Promise<void>;
}

const program = fileURLToPath(new URL('../../examples/dist/browser-denoise/serve.js', import.meta.url));

/** Runs `npm run browser-example` as a user would. @param args for example `--server URL` */
export async function startBrowserExample(...args: readonly string[]): Promise<BrowserExample> {
  const child = spawn(process.execPath, [program, '--port', '0', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const origin = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      const [address] = /http:\/\/127\.0\.0\.1:\d+/.exec(line) ?? [];
      if (address) resolve(address);
    });
    void exited.then(() => reject(new Error(`the browser example ended with ${child.exitCode}`)));
  });
  return {
    origin,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
