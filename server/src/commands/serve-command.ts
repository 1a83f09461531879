import { loadConfig } from '../config-sources.ts';
import { runHost } from '../host.ts';
import type { RunningHost } from '../listen.ts';
import type { Print } from './keys-command.ts';

/** Flags of `cipherdose-server`, as commander reads them: text, or true. */
export interface ServeFlags {
  readonly config?: string;
  readonly models?: string;
  readonly host?: string;
  readonly port?: string;
  readonly keysFile?: string;
  readonly open?: true;
  readonly openToNetwork?: true;
  readonly threads?: string;
  readonly corsOrigins?: readonly string[];
  readonly logLevel?: string;
}

/**
 * Starts the host and closes it on SIGTERM or SIGINT; a second signal ends the process at once.
 * @throws CONFIG_INVALID, FILE_UNREADABLE, MODEL_INVALID, MODEL_DIGEST
 */
export async function runServe(
  { config: file, port, threads, ...texts }: ServeFlags,
  print: Print,
): Promise<void> {
  const flags = { ...texts, port: numberFlag(port), threads: numberFlag(threads) };
  const config = await loadConfig({ file, environment: process.env, flags });
  const host = await runHost(config);
  closeOnSignal(host, print);
  if (config.open)
    print('WARNING: the host is open: everybody who can reach it may use it, without an API key');
  print(`model host at ${host.url}`);
}

const numberFlag = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Number(text);

function closeOnSignal(host: RunningHost, print: Print): void {
  let closing = false;
  const stop = (): void => {
    if (closing) process.exit(1);
    closing = true;
    print('closing: finishing what runs');
    void host.close();
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
}
