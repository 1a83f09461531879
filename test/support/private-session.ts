import { loadSeal, ZeroEncryptor } from '@cipherdose/sdk/zero-encryption';
import type { HuImage } from '@cipherdose/sdk/image';
import { privateKind, type PrivateKind } from '@cipherdose/sdk/private-session';
import { parameterSet } from '@cipherdose/sdk/protocol';
import { TwoPartyKernel, type RandomSource } from '@cipherdose/sdk/two-party';
import type { SealCipher } from '#sdk/he/index.js';
import { evaluateClear } from '#server/network/clear-evaluator.js';
import type { IntegerNetwork } from '#server/network/integer-network.js';
import { ZeroPool } from '#server/evaluator/zero-pool.js';
import {
  HostSession,
  type HostSessionParts,
  type ResumedShare,
  type SliceQuestion,
} from '#server/private/host-session.js';
import { integers } from './arbitraries.ts';
import { evaluationContext } from './encrypted-layers.ts';
import { PrivateTestClient, type HeldValues, type KeptSlice } from './private-client.ts';
import type { PrivateNetworkOptions } from './private-network.ts';
import { present, seededSource } from './two-party.ts';

/** A message, in the order in which they travelled. */
export interface PrivateSpoken {
  readonly from: 'client' | 'host';
  readonly message: Uint8Array<ArrayBuffer>;
}

export interface ConversationOptions {
  readonly network: IntegerNetwork;
  readonly images: readonly HuImage[];
  readonly seed?: number;
  readonly ahead?: number;
  readonly resume?: KeptSlice;
  /** What the host kept for it. */
  readonly resumed?: ResumedShare | undefined;
  readonly slices?: number;
  readonly cipher?: SealCipher;
  readonly held?: (values: HeldValues) => void;
  readonly parts?: Partial<HostSessionParts>;
}

/** A session whose two sides stand in one thread, with every message between them at hand. */
export class PrivateConversation {
  readonly client: PrivateTestClient;
  readonly host: HostSession;
  readonly kernel = new TwoPartyKernel();
  readonly spoken: PrivateSpoken[] = [];
  readonly asked: SliceQuestion[] = [];
  readonly reached: (ResumedShare & { readonly slice: number })[] = [];
  readonly finished: number[] = [];
  readonly #queue: PrivateSpoken[] = [];
  readonly #zeros: ZeroPool[] = [];

  private constructor(seal: Awaited<ReturnType<typeof loadSeal>>, options: ConversationOptions) {
    const { network, images, seed = 1, ahead, resume, resumed, slices = 2, cipher, held, parts } = options;
    const set = parameterSet(network.plan.parameterSet);
    const say = (from: PrivateSpoken['from']) => (message: Uint8Array<ArrayBuffer>) => {
      this.#queue.push({ from, message });
    };
    const random: RandomSource = seededSource(2 * seed);
    this.host = new HostSession(
      {
        context: evaluationContext(network),
        kernel: this.kernel,
        random,
        slices,
        openZeros: (session, key) => {
          const pool = new ZeroPool(new ZeroEncryptor(seal, set, session, key), 4);
          this.#zeros.push(pool);
          return pool;
        },
        ...parts,
      },
      {
        send: say('host'),
        sliceAsked: (question) => {
          this.asked.push(question);
          const ticket = new Uint8Array(32).fill(question.slice);
          this.host.grant(question.slice, { ticket, resumed: question.resume && resumed });
        },
        sliceStarted: () => undefined,
        layerReached: (slice, share) => this.reached.push({ slice, ...share }),
        sliceFinished: (slice) => this.finished.push(slice),
      },
    );
    this.client = new PrivateTestClient({
      plan: network.plan,
      seal,
      images,
      resume,
      cipher,
      held,
      random: seededSource(2 * seed + 1),
      send: say('client'),
      ...(ahead === undefined ? {} : { ahead }),
    });
  }

  static async open(options: ConversationOptions): Promise<PrivateConversation> {
    return new PrivateConversation(await loadSeal(), options);
  }

  /**
   * Passes messages on until there are none.
   * @param most stop after that many
   * @param pass sees each, and may say "no"
   */
  run(most = Infinity, pass: (spoken: PrivateSpoken) => boolean = () => true): void {
    for (let count = 0; count < most; count++) {
      const next = this.#queue.shift();
      if (!next || !pass(next)) return;
      this.spoken.push(next);
      if (next.from === 'client') this.host.take(this.host.read(next.message));
      else this.client.receive(next.message);
    }
  }

  close(): void {
    this.host.drop();
    this.client.dispose();
    for (const pool of this.#zeros) pool[Symbol.dispose]();
  }
}

/** An image of random HU. */
export function randomImage(width: number, height: number, seed: number): HuImage {
  const next = integers(seed);
  return { width, height, hu: Int16Array.from({ length: width * height }, () => next(-1200, 3200)) };
}

export const clearResult = (network: IntegerNetwork, image: HuImage): Int16Array<ArrayBufferLike> =>
  evaluateClear(network, image).hu;

/** Kind of a message, from its header. */
export const kindOf = ({ message }: PrivateSpoken): PrivateKind =>
  present((Object.keys(privateKind) as PrivateKind[]).find((name) => privateKind[name] === message[5]));

/** Layer that a message is about. */
export const layerOf = ({ message }: PrivateSpoken): number => present(message[6]);

/** Three layers that take a moment. */
export const smallPrivateNetwork: PrivateNetworkOptions = {
  seed: 3,
  kernels: [
    [3, 5],
    [3, 3],
    [1, 3],
  ],
  widths: [4, 3],
  factor: 2,
  clampBits: 8,
  lastClampBits: 8,
  shift: 5,
  weight: 30,
};
