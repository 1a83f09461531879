import { connect, createServer, type Server } from 'node:net';
import { rm } from 'node:fs/promises';
import { DenoiseError } from '@cipherdose/sdk/errors';

/**
 * Takes a folder for this process by listening on a socket in it. Unlike a file with a process id, a socket of a killed
 * process is known to be dead, also where process ids repeat (containers).
 * @throws QUEUE_IN_USE if another process has the folder
 */
export async function lockFolder(socketPath: string, server: Server = createServer()): Promise<Server> {
  for (let attempt = 0; attempt < 2; attempt++) {
    const code = await listen(server, socketPath);
    if (code === undefined) return server;
    if (code !== 'EADDRINUSE') throw new DenoiseError('FILE_UNWRITABLE', { file: socketPath, reason: code });
    if (await answers(socketPath)) throw new DenoiseError('QUEUE_IN_USE', { socket: socketPath });
    await rm(socketPath, { force: true });
  }
  throw new DenoiseError('QUEUE_IN_USE', { socket: socketPath });
}

/** @returns undefined once it listens, else why not. */
function listen(server: Server, path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException): void => resolve(error.code ?? 'unknown');
    server.once('error', failed);
    server.listen(path, () => {
      server.off('error', failed);
      resolve(undefined);
    });
  });
}

/** @returns whether a process listens there. */
export function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
