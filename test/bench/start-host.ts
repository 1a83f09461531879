import { fork, type ChildProcess } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

/** Of the program's first line and of examples/deploy. */
const flags = ['--max-semi-space-size=1'];

/** A model host in a process of its own, as an administrator starts it. @param models folder; default those that come along */
export const startHostProcess = (models?: string): ChildProcess =>
  fork(
    fileURLToPath(new URL('host-process.js', import.meta.url)),
    [String(availableParallelism()), ...(models === undefined ? [] : [models])],
    { execArgv: flags },
  );
