import { DenoiseError } from '@cipherdose/sdk/errors';
import type { PrivateKind, PrivateMessage } from '@cipherdose/sdk/private-session';
import { parameterSet } from '@cipherdose/sdk/protocol';
import { systemRandom, TwoPartyKernel } from '@cipherdose/sdk/two-party';
import { KernelSet } from '../evaluator/kernel-set.ts';
import { ZeroPool } from '../evaluator/zero-pool.ts';
import type { IntegerNetwork } from '../network/integer-network.ts';
import { HostSession } from './host-session.ts';
import { giveBack } from './give-back.ts';
import type { FromThread, ToThread } from './thread-messages.ts';

/** Encryptions of zero that are made while nobody waits: of a few groups of tiles. */
const warmZeros = 32;
/** One block: what a whole layer needs comes round too late to be kept. */
const weightCacheBytes = 8 * 2 ** 20;

/** Small messages, of which views may stay. */
const kept: ReadonlySet<PrivateKind> = new Set(['handshake', 'publicKey', 'open']);

/** Where a thread's messages go. */
export interface ThreadPort {
  post(message: FromThread, transfer?: readonly ArrayBuffer[]): void;
}

/** A message of the client that waits, and how long it was. */
interface Waiting {
  readonly message: PrivateMessage;
  readonly bytes: number;
}

/**
 * Drives one session inside a thread of its own. What belongs to an image goes before what prepares the next slice; in
 * idle moments encryptions of zero are made ahead.
 */
export class SessionServer {
  readonly #port: ThreadPort;
  readonly #loadModel: (directory: string) => Promise<IntegerNetwork>;
  #session: HostSession | undefined;
  #openZeros: (() => ZeroPool) | undefined;
  #zeros: ZeroPool | undefined;
  readonly #online: Waiting[] = [];
  readonly #others: Waiting[] = [];
  #scheduled = false;
  #failed = false;

  constructor(port: ThreadPort, loadModel: (directory: string) => Promise<IntegerNetwork>) {
    this.#port = port;
    this.#loadModel = loadModel;
  }

  /** Loads the model and greets the client; a failure ends the session. */
  async start(message: Extract<ToThread, { kind: 'start' }>): Promise<void> {
    try {
      const network = await this.#loadModel(message.modelDirectory);
      const { digest } = network.plan;
      if (digest !== message.digest)
        throw new DenoiseError('MODEL_DIGEST', { got: digest, expected: message.digest });
      const set = parameterSet(network.plan.parameterSet);
      const openZeros = await ZeroPool.opener(set, warmZeros);
      const context = { ...new KernelSet(weightCacheBytes).of(network), network };
      this.#session = new HostSession(
        {
          context,
          kernel: new TwoPartyKernel(),
          random: systemRandom,
          slices: message.slices,
          openZeros: (session, publicKey) => {
            // Takes a while; the client can do with the first corrections before.
            this.#openZeros = () => openZeros(session, publicKey);
            return { take: () => this.#zeroPool().take() };
          },
        },
        {
          send: (bytes) => this.#port.post({ kind: 'send', bytes }, [bytes.buffer]),
          sliceAsked: (question) => this.#port.post({ kind: 'asked', question }),
          layerReached: (slice, resumed) =>
            this.#port.post({ kind: 'reached', slice, resumed }, [resumed.share.buffer]),
          sliceStarted: (slice) => this.#port.post({ kind: 'started', slice }),
          sliceFinished: (slice) => this.#port.post({ kind: 'finished', slice }),
        },
      );
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Takes whatever comes after `start`. */
  receive(message: Exclude<ToThread, { kind: 'start' }>): void {
    if (this.#failed) return;
    try {
      const session = this.#session;
      if (!session) throw new DenoiseError('INTERNAL', { reason: 'the session has not started' });
      if (message.kind === 'grant') {
        session.grant(message.slice, message.grant);
        return;
      }
      const read = session.read(message.bytes);
      const { kind, slice } = read;
      const online = kind === 'input' || kind === 'activation' || kind === 'finished';
      // The end of a slice's own preparation still goes before its image.
      const first = online && !this.#others.some((waiting) => waiting.message.slice === slice);
      (first ? this.#online : this.#others).push({ message: read, bytes: message.bytes.length });
      this.#schedule();
    } catch (error) {
      this.#fail(error);
    }
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // Between two steps whatever has come is received.
    setImmediate(() => {
      this.#scheduled = false;
      this.#step();
    });
  }

  #step(): void {
    const next = this.#online.shift() ?? this.#others.shift();
    if (this.#failed) return;
    try {
      if (next) {
        this.#session?.take(next.message);
        if (!kept.has(next.message.kind)) giveBack(next.message.payload);
        this.#port.post({ kind: 'taken', bytes: next.bytes });
      } else if (!this.#fillZeros()) return;
      this.#schedule();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Makes one encryption of zero for a slice that is open. @returns whether there was need of it */
  #fillZeros(): boolean {
    const wanted = this.#session?.repliesLeft ?? 0;
    return wanted > 0 && wanted > this.#zeroPool().ready && this.#zeroPool().fill(1) > 0;
  }

  #zeroPool(): ZeroPool {
    if (!this.#openZeros) throw new DenoiseError('INTERNAL', { reason: 'there is no public key' });
    return (this.#zeros ??= this.#openZeros());
  }

  #fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#online.length = 0;
    this.#others.length = 0;
    this.#session?.drop();
    this.#zeros?.[Symbol.dispose]();
    const failure = DenoiseError.wrap(error, 'INTERNAL').serialise();
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#port.post({ kind: 'failed', error: failure, stack });
  }
}
