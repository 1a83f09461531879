import { parentPort } from 'node:worker_threads';
import { serveJobs } from './serve-jobs.ts';

const port = parentPort;
if (port)
  serveJobs({
    post: (reply, transfer) => port.postMessage(reply, transfer),
    onMessage: (listener) => void port.on('message', listener),
  });
