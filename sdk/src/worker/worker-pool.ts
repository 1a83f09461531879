import { DenoiseError } from '../errors/index.ts';
import { readyId, type HeJob, type HeJobResults, type WorkerReply } from './jobs.ts';
import type { SpawnedWorker, SpawnWorker } from './spawn.ts';

export interface WorkerPoolOptions {
  readonly spawn: SpawnWorker;
  readonly size: number;
  readonly workerUrl?: string;
  readonly sealWasmUrl?: string;
}

interface QueuedJob {
  readonly id: number;
  readonly job: HeJob;
  readonly priority: number;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (result: HeJobResults[HeJob['kind']]) => void;
  readonly reject: (error: DenoiseError) => void;
}

/** A worker of the pool, with its own key. A reply can only be decrypted where its request was encrypted. */
export interface HeWorker {
  readonly run: <Kind extends HeJob['kind']>(
    job: Extract<HeJob, { kind: Kind }>,
    options: { readonly priority: number; readonly signal?: AbortSignal },
  ) => Promise<HeJobResults[Kind]>;
  /** Jobs waiting or running. */
  readonly load: number;
}

/** Workers that encrypt and decrypt; started when first needed, each making its own secret key. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  #workers: PoolWorker[] = [];
  #nextId = 0;
  #closed = false;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  /** The worker with the least to do. @throws CLIENT_CLOSED */
  leastLoaded(): HeWorker {
    if (this.#closed) throw new DenoiseError('CLIENT_CLOSED');
    this.#workers = this.#workers.filter((worker) => !worker.failed);
    const idle = this.#workers.find((worker) => worker.load === 0);
    if (idle) return idle;
    if (this.#workers.length < this.#options.size) {
      const worker = new PoolWorker(this.#options, () => this.#nextId++);
      this.#workers.push(worker);
      return worker;
    }
    return this.#workers.reduce((least, worker) => (worker.load < least.load ? worker : least));
  }

  /** Starts all workers, and each makes its key for a parameter set ahead of the first encryption. */
  async prepare(set: string, signal?: AbortSignal): Promise<void> {
    if (this.#closed) throw new DenoiseError('CLIENT_CLOSED');
    while (this.#workers.length < this.#options.size)
      this.#workers.push(new PoolWorker(this.#options, () => this.#nextId++));
    const options = { priority: 0, ...(signal ? { signal } : {}) };
    await Promise.all(
      this.#workers.map((worker) => worker.run<'prepare'>({ kind: 'prepare', set }, options)),
    );
  }

  /** Stops every worker at once: jobs end with CANCELLED, keys and memory are gone. The pool can be used again. */
  reset(): void {
    for (const worker of this.#workers) worker.stop(new DenoiseError('CANCELLED'));
    this.#workers = [];
  }

  close(): void {
    this.#closed = true;
    for (const worker of this.#workers) worker.stop(new DenoiseError('CLIENT_CLOSED'));
    this.#workers = [];
  }
}

class PoolWorker implements HeWorker {
  readonly #worker: SpawnedWorker;
  readonly #nextId: () => number;
  #queue: QueuedJob[] = [];
  #running: QueuedJob | undefined;
  #ready = false;
  #failure: DenoiseError | undefined;

  constructor(options: WorkerPoolOptions, nextId: () => number) {
    this.#nextId = nextId;
    this.#worker = options.spawn({
      ...(options.workerUrl === undefined ? {} : { workerUrl: options.workerUrl }),
      onReply: (reply) => this.#receive(reply),
      onFailure: (reason) => this.stop(new DenoiseError('WORKER_FAILED', {}, { cause: reason })),
    });
    this.#worker.post(options.sealWasmUrl === undefined ? {} : { sealWasmUrl: options.sealWasmUrl }, []);
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  get load(): number {
    return this.#queue.length + (this.#running ? 1 : 0);
  }

  run<Kind extends HeJob['kind']>(
    job: Extract<HeJob, { kind: Kind }>,
    options: { readonly priority: number; readonly signal?: AbortSignal },
  ): Promise<HeJobResults[Kind]> {
    return new Promise<HeJobResults[HeJob['kind']]>((resolve, reject) => {
      if (this.#failure) return reject(this.#failure);
      const { priority, signal } = options;
      const queued: QueuedJob = { id: this.#nextId(), job, priority, signal, resolve, reject };
      const before = this.#queue.findIndex((other) => other.priority > priority);
      this.#queue.splice(before === -1 ? this.#queue.length : before, 0, queued);
      this.#next();
    }) as Promise<HeJobResults[Kind]>;
  }

  stop(error: DenoiseError): void {
    if (this.#failure) return;
    this.#failure = error;
    this.#worker.terminate();
    for (const job of [this.#running, ...this.#queue]) job?.reject(error);
    this.#running = undefined;
    this.#queue = [];
  }

  #next(): void {
    if (!this.#ready || this.#running) return;
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      if (next.signal?.aborted) {
        next.reject(new DenoiseError('CANCELLED'));
        continue;
      }
      this.#running = next;
      this.#worker.post({ id: next.id, job: next.job }, buffersOf(next.job));
      return;
    }
  }

  #receive(reply: WorkerReply): void {
    const error = reply.error && DenoiseError.deserialise(reply.error);
    if (reply.id === readyId) {
      if (error) return this.stop(error);
      this.#ready = true;
      return this.#next();
    }
    const job = this.#running;
    if (job?.id !== reply.id) return;
    this.#running = undefined;
    if (error) job.reject(error);
    else if (reply.result) job.resolve(reply.result);
    else job.reject(new DenoiseError('WORKER_FAILED'));
    this.#next();
  }
}

/** What a job hands over. */
function buffersOf(job: HeJob): ArrayBuffer[] {
  if (job.kind === 'decrypt') return [job.frame.buffer];
  return job.kind === 'private' && job.step.kind === 'message' ? [job.step.message.payload.buffer] : [];
}
