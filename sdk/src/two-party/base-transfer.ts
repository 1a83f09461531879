import { mapHashToField } from '@noble/curves/abstract/modular.js';
import { ristretto255 } from '@noble/curves/ed25519.js';
import { blake3 } from '@noble/hashes/blake3.js';
import { DenoiseError } from '../errors/index.ts';
import { randomBytes, type RandomSource } from './random-source.ts';

// Base OTs: Chou and Orlandi, "The Simplest Protocol for Oblivious Transfer" (LATINCRYPT 2015), on ristretto255
// (RFC 9496) of @noble/curves. Random OTs: the sender gets two keys, the receiver the one it chose. Semi-honest.

const { Point } = ristretto255;
type Point = InstanceType<typeof Point>;

/** Bytes of a group element, and of a key. */
export const elementBytes = 32;

const context = new TextEncoder().encode('CipherDose two-party base OT v1');

/** Sender of base OTs: one step, then two keys for every OT. */
export class BaseTransferSender {
  /** To be sent to the receiver. */
  readonly element: Uint8Array;
  readonly #secret: bigint;
  readonly #point: Point;

  constructor(random: RandomSource) {
    this.#secret = randomScalar(random);
    this.#point = Point.BASE.multiply(this.#secret);
    this.element = this.#point.toBytes();
  }

  /**
   * @param answers 32 bytes an OT
   * @returns the keys of message 0 and of message 1, for every OT
   * @throws TWO_PARTY_ELEMENT where an answer is not a group element
   */
  keys(answers: Uint8Array): readonly (readonly [Uint8Array, Uint8Array])[] {
    const offset = this.#point.multiply(this.#secret);
    return Array.from({ length: answers.length / elementBytes }, (_, i) => {
      const answer = answers.subarray(i * elementBytes, (i + 1) * elementBytes);
      const shared = readElement(answer, i).multiply(this.#secret);
      const key = (point: Point) => transferKey(i, this.element, answer, point);
      return [key(shared), key(shared.subtract(offset))];
    });
  }
}

/** What the receiver of base OTs gets of the sender's element. */
export interface BaseTransferAnswer {
  /** To be sent back: 32 bytes an OT. */
  readonly answers: Uint8Array;
  /** The key of the message that was chosen, for every OT. */
  readonly keys: readonly Uint8Array[];
}

/**
 * Receiver of base OTs.
 * @param choices 0 or 1 for every OT
 * @throws TWO_PARTY_ELEMENT where the sender's element is none, or the neutral one
 */
export function receiveBaseTransfers(
  element: Uint8Array,
  choices: Uint8Array,
  random: RandomSource,
): BaseTransferAnswer {
  const point = readElement(element, 0);
  point.precompute(6, false);
  const answers = new Uint8Array(choices.length * elementBytes);
  const keys = Array.from(choices, (choice, i) => {
    const secret = randomScalar(random);
    const own = Point.BASE.multiply(secret);
    // Both are computed, so that the time does not depend on the choice.
    const both = [own, own.add(point)] as const;
    const answer = both[choice === 0 ? 0 : 1].toBytes();
    answers.set(answer, i * elementBytes);
    return transferKey(i, element, answer, point.multiply(secret));
  });
  return { answers, keys };
}

function transferKey(index: number, element: Uint8Array, answer: Uint8Array, shared: Point): Uint8Array {
  const input = new Uint8Array(4 + 3 * elementBytes);
  new DataView(input.buffer).setUint32(0, index, true);
  input.set(element, 4);
  input.set(answer, 4 + elementBytes);
  input.set(shared.toBytes(), 4 + 2 * elementBytes);
  return blake3(input, { context });
}

function randomScalar(random: RandomSource): bigint {
  // FIPS 186-5 A.2.1, extra random bits: 48 bytes, reduced to 1..order - 1.
  const bytes = mapHashToField(randomBytes(random, 48), Point.Fn.ORDER, true);
  return Point.Fn.fromBytes(bytes);
}

function readElement(bytes: Uint8Array, index: number): Point {
  let point: Point;
  try {
    point = Point.fromBytes(bytes);
  } catch (cause) {
    throw new DenoiseError('TWO_PARTY_ELEMENT', { index }, { cause });
  }
  if (point.equals(Point.ZERO)) throw new DenoiseError('TWO_PARTY_ELEMENT', { index });
  return point;
}
