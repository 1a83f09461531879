// Thread of one private session.
import { parentPort, type MessagePort } from 'node:worker_threads';
import { ZeroPool } from '../evaluator/zero-pool.ts';
import { loadModel } from '../registry/load-model.ts';
import { SessionServer } from './serve-session.ts';
import type { ToThread } from './thread-messages.ts';

const port = parentPort as MessagePort;
const server = new SessionServer(
  { post: (message, transfer = []) => port.postMessage(message, [...transfer]) },
  loadModel,
);
// Before there is anybody to wait for it; whether it failed is told when the session starts.
void ZeroPool.load().catch(() => undefined);
// Messages wait while the session starts.
let started = Promise.resolve();
port.on('message', (message: ToThread) => {
  if (message.kind === 'start') started = server.start(message);
  else void started.then(() => server.receive(message));
});
