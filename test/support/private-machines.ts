import { loadSeal, ZeroEncryptor } from '@cipherdose/sdk/zero-encryption';
import type { HuImage } from '@cipherdose/sdk/image';
import { PrivateReader } from '@cipherdose/sdk/private-session';
import { TwoPartyKernel } from '@cipherdose/sdk/two-party';
import type { SealCipher } from '#sdk/he/index.js';
import type { PrivateEvent } from '#sdk/worker/private-jobs.js';
import { PrivateSession, type KeptSlice } from '#sdk/worker/private-session.js';
import { ZeroPool } from '#server/evaluator/zero-pool.js';
import type { IntegerNetwork } from '#server/network/integer-network.js';
import { HostSession, type ResumedShare } from '#server/private/host-session.js';
import { evaluationContext } from './encrypted-layers.ts';
import type { PrivateSpoken } from './private-session.ts';
import { seededSource } from './two-party.ts';

export interface MachinesOptions {
  readonly network: IntegerNetwork;
  readonly images: readonly HuImage[];
  readonly seed?: number;
  /** Slices that are open at once. */
  readonly slices?: number;
  /** What the client and the host kept of the first slice. */
  readonly kept?: KeptSlice | undefined;
  readonly resumed?: ResumedShare | undefined;
}

/** The SDK's machine of a session and the host's in one thread, and what the SDK's driver does around them. */
export class PrivateMachines {
  readonly client: PrivateSession;
  readonly host: HostSession;
  readonly clientKernel = new TwoPartyKernel();
  readonly results: HuImage[] = [];
  readonly events: PrivateEvent[] = [];
  /** What the host last kept of a slice. */
  reached: ResumedShare | undefined;
  /** Most bytes of correlations that the client held. */
  peakBytes = 0;
  readonly #options: MachinesOptions;
  readonly #reader = new PrivateReader();
  readonly #queue: PrivateSpoken[] = [];
  readonly #zeros: ZeroPool[] = [];
  #opened = 0;
  #prepared = 0;
  #ran = 0;

  private constructor(
    seal: Awaited<ReturnType<typeof loadSeal>>,
    cipher: SealCipher,
    options: MachinesOptions,
  ) {
    const { network, seed = 1, slices = 1, resumed } = options;
    this.#options = options;
    const say = (from: PrivateSpoken['from'], message: Uint8Array<ArrayBuffer>): void => {
      this.#queue.push({ from, message });
    };
    this.host = new HostSession(
      {
        context: evaluationContext(network),
        kernel: new TwoPartyKernel(),
        random: seededSource(2 * seed),
        slices,
        openZeros: (session, key) => {
          const pool = new ZeroPool(new ZeroEncryptor(seal, cipher.set, session, key), 1);
          this.#zeros.push(pool);
          return pool;
        },
      },
      {
        send: (message) => say('host', message),
        sliceAsked: ({ slice, resume }) =>
          this.host.grant(slice, { ticket: new Uint8Array(32).fill(slice), resumed: resume && resumed }),
        sliceStarted: () => undefined,
        layerReached: (_, share) => (this.reached = share),
        sliceFinished: () => undefined,
      },
    );
    const parts = {
      plan: network.plan,
      cipher,
      kernel: this.clientKernel,
      random: seededSource(2 * seed + 1),
    };
    this.client = new PrivateSession(parts, {
      send: ({ bytes }) => say('client', bytes),
      tell: (event) => this.events.push(event),
    });
  }

  /** @param cipher of the network's parameter set; the test's own */
  static async open(cipher: SealCipher, options: MachinesOptions): Promise<PrivateMachines> {
    return new PrivateMachines(await loadSeal(), cipher, options);
  }

  /**
   * Passes messages on until there are none.
   * @param pass sees each, and may say "no": that one is lost, and the run ends
   */
  run(pass: (spoken: PrivateSpoken) => boolean = () => true): void {
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      if (!pass(next)) return;
      if (next.from === 'client') this.host.take(this.host.read(next.message));
      else this.give(next.message);
    }
  }

  /** Gives the client a message. */
  give(message: Uint8Array<ArrayBuffer>): void {
    this.client.receive(this.#reader.read(message));
    this.peakBytes = Math.max(this.peakBytes, this.clientKernel.usedBytes);
    for (let event = this.events.shift(); event; event = this.events.shift()) {
      if (event.kind === 'finished') this.results.push(event.image);
      if (event.kind === 'prepared') this.#prepared++;
      if (event.kind !== 'progress') this.#proceed();
    }
  }

  /** @returns what the client kept, when it has dropped everything */
  drop(): KeptSlice | undefined {
    const { kept } = this.client;
    this.client.drop();
    this.host.drop();
    for (const pool of this.#zeros) pool[Symbol.dispose]();
    return kept;
  }

  #proceed(): void {
    const { images, slices = 1, kept } = this.#options;
    const next = images[this.#opened];
    if (next && this.#opened === this.#prepared && this.#opened - this.results.length < slices) {
      this.#opened++;
      this.client.open(this.#opened, next, this.#opened === 1 ? kept : undefined);
    }
    if (this.#ran > this.results.length || this.#ran === this.#prepared) return;
    if (this.#ran === this.results.length) {
      this.#ran++;
      this.client.run(this.#ran, images[this.#ran - 1] as HuImage);
    }
  }
}
