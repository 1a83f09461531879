import { DenoiseError } from '../errors/index.ts';
import { loadSeal, SealCipher } from '../he/index.ts';
import { advanceWalk } from '../plan/index.ts';
import { parameterSet } from '../protocol/index.ts';
import {
  readyId,
  type HeJob,
  type HeJobResults,
  type WorkerReply,
  type WorkerRequest,
  type WorkerStart,
} from './jobs.ts';
import { decryptGroup, encryptGroup } from './layer-cipher.ts';
import { PrivateServer } from './private-server.ts';

/** The worker's end of a message port. */
export interface WorkerPort {
  post(reply: WorkerReply, transfer: ArrayBuffer[]): void;
  onMessage(listener: (message: WorkerStart | WorkerRequest) => void): void;
}

/** Runs a worker: loads SEAL at the first message, then does jobs in order. Keys are made here and stay here. */
export function serveJobs(port: WorkerPort): void {
  let work: Promise<RunJob | undefined> | undefined;
  port.onMessage((message) => {
    if (!('id' in message)) {
      work = reply(port, readyId, () => start(message));
      return;
    }
    void work?.then((run) => reply(port, message.id, () => run?.(message.job)));
  });
}

type RunJob = (job: HeJob) => HeJobResults[HeJob['kind']];

async function start(message: WorkerStart): Promise<RunJob> {
  const seal = await loadSeal(message.sealWasmUrl);
  const ciphers = new Map<string, SealCipher>();
  const sessions = new PrivateServer(seal);
  return (job) => {
    if (job.kind === 'walk') return advanceWalk(job.plan, job.image, job.progress);
    if (job.kind === 'private') return sessions.take(job);
    let cipher = ciphers.get(job.set);
    if (!cipher) ciphers.set(job.set, (cipher = new SealCipher(seal, parameterSet(job.set))));
    if (job.kind === 'prepare') return new Uint8Array();
    return job.kind === 'encrypt' ? encryptGroup(cipher, job) : decryptGroup(cipher, job);
  };
}

async function reply(
  port: WorkerPort,
  id: number,
  call: () => ReplyResult | Promise<ReplyResult>,
): Promise<RunJob | undefined> {
  try {
    const result = await call();
    if (typeof result === 'function') {
      port.post({ id }, []);
      return result;
    }
    if (result) port.post({ id, result }, buffersOf(result));
    else port.post({ id }, []);
  } catch (error) {
    port.post({ id, error: DenoiseError.wrap(error, 'WORKER_FAILED').serialise() }, []);
  }
  return undefined;
}

type ReplyResult = RunJob | HeJobResults[HeJob['kind']] | undefined;

function buffersOf(result: HeJobResults[HeJob['kind']]): ArrayBuffer[] {
  if (ArrayBuffer.isView(result)) return [result.buffer];
  if ('messages' in result) return result.messages.map(({ bytes }) => bytes.buffer);
  return [...new Set([...result.values.values()].map(({ data }) => data.buffer as ArrayBuffer))];
}
