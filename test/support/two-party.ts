import { chacha20 } from '@noble/ciphers/chacha.js';
import {
  ActivateClient,
  ActivateHost,
  activateClear,
  chunkActivations,
  ClientHandshake,
  HostHandshake,
  PrepareClient,
  PrepareHost,
  type ActivationParameters,
  type ClientCorrelations,
  type FieldBits,
  type HostCorrelations,
  type RandomSource,
  type TwoPartySession,
} from '#sdk/two-party/index.js';

/** Random bytes that depend on the seed only: the stream of ChaCha20 under it. For tests alone. */
export function seededSource(seed: number): RandomSource {
  const key = new Uint8Array(32);
  new DataView(key.buffer).setUint32(0, seed, true);
  let calls = 0;
  return (target) => {
    const nonce = new Uint8Array(12);
    new DataView(nonce.buffer).setUint32(0, ++calls, true);
    target.set(chacha20(key, nonce, new Uint8Array(target.length)));
  };
}

/** A message, in the order in which they travelled. */
export interface Spoken {
  readonly from: 'client' | 'host';
  readonly message: Uint8Array;
}

/** Both sides of a session, and all that was said. */
export interface Pair {
  readonly client: TwoPartySession;
  readonly host: TwoPartySession;
  readonly spoken: Spoken[];
}

export function present<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('there is no value where one was expected');
  return value;
}

/** A handshake whose two sides have random bytes of their own. */
export function openPair(fieldBits: FieldBits = 4, seed = 1): Pair {
  const host = new HostHandshake({ fieldBits, random: seededSource(2 * seed) });
  const client = new ClientHandshake({ random: seededSource(2 * seed + 1) });
  const spoken: Spoken[] = [];
  const say = (from: Spoken['from'], message: Uint8Array | undefined) => {
    spoken.push({ from, message: present(message) });
    return present(message);
  };
  const first = client.receive(say('host', host.hello));
  const second = host.receive(say('client', first.send));
  const third = client.receive(say('host', second.send));
  const fourth = host.receive(say('client', third.send));
  return { client: present(third.result), host: present(fourth.result), spoken };
}

/** Correlations of both sides. */
export function prepare(
  pair: Pair,
  parameters: ActivationParameters,
  count: number,
): { client: ClientCorrelations; host: HostCorrelations } {
  const host = new PrepareHost(pair.host, parameters, count);
  const client = new PrepareClient(pair.client, parameters, count);
  pair.spoken.push({ from: 'host', message: host.corrections });
  const answer = client.receive(host.corrections);
  pair.spoken.push({ from: 'client', message: present(answer.send) });
  return { client: present(answer.result), host: present(host.receive(present(answer.send)).result) };
}

/** What the client is given: accumulator minus mask, as the plain modulus leaves it. */
export const clientShares = (accumulators: Int32Array, masks: Uint32Array): Uint32Array =>
  Uint32Array.from(accumulators, (y, i) => y - present(masks[i]));

/** The five messages. @returns both shares of the results */
export function activate(
  pair: Pair,
  correlations: { client: ClientCorrelations; host: HostCorrelations },
  accumulators: Int32Array,
): { client: Uint32Array; host: Uint32Array } {
  const client = new ActivateClient(correlations.client, clientShares(accumulators, correlations.host.masks));
  const host = new ActivateHost(correlations.host);
  const say = (from: Spoken['from'], message: Uint8Array | undefined) => {
    pair.spoken.push({ from, message: present(message) });
    return present(message);
  };
  const first = host.receive(say('client', client.tables));
  const second = client.receive(say('host', first.send));
  const third = host.receive(say('client', second.send));
  const fourth = client.receive(say('host', third.send));
  const last = host.receive(say('client', fourth.send));
  return { client: present(fourth.result), host: present(last.result) };
}

/** The result in the clear, as shares add up to it. */
export function activatedModulo(y: number, parameters: ActivationParameters): number {
  const modulus = 2 ** parameters.outputBits;
  return (activateClear(y, parameters) + modulus) % modulus;
}

/** @returns how many of the results differ from the clear activation, in pieces as large as the protocol takes */
export function countDifferences(
  pair: Pair,
  parameters: ActivationParameters,
  accumulators: Int32Array,
): number {
  let wrong = 0;
  for (let at = 0; at < accumulators.length; at += chunkActivations) {
    const chunk = accumulators.subarray(at, at + chunkActivations);
    const shares = activate(pair, prepare(pair, parameters, chunk.length), chunk);
    chunk.forEach((y, i) => {
      const sum = (present(shares.client[i]) + present(shares.host[i])) % 2 ** parameters.outputBits;
      if (sum !== activatedModulo(y, parameters)) wrong++;
    });
    pair.spoken.length = 0;
  }
  return wrong;
}

/** Accumulators of the allowed range: the edges first, then random ones. */
export function edgesAndRandom(parameters: ActivationParameters, count: number, seed: number): Int32Array {
  const { lowest, highest, shift, clampBits } = parameters;
  const unit = 2 ** shift;
  const largest = 2 ** (shift + clampBits);
  const centres = [0, unit, -unit, 2 * unit, unit / 2, -unit / 2, largest, largest - unit, lowest, highest];
  const edges = [...centres, Math.trunc(lowest / 2), Math.trunc(highest / 2)]
    .flatMap((centre) => [-2, -1, 0, 1, 2].map((step) => centre + step))
    .filter((y) => y >= lowest && y <= highest);
  const words = new Uint32Array(count);
  seededSource(seed)(new Uint8Array(words.buffer));
  return Int32Array.from(words, (word, i) => {
    // Every edge meets several masks.
    if (i < 20 * edges.length) return present(edges[i % edges.length]);
    return lowest + Math.floor((word / 2 ** 32) * (highest - lowest + 1));
  });
}

/** The same pair, whose host draws these masks for the next piece of work: for tests of every mask. */
export function withMasks(pair: Pair, masks: Uint32Array): Pair {
  const bytes = new Uint8Array(masks.buffer, masks.byteOffset, masks.byteLength);
  const random: RandomSource = (target) => {
    target.set(bytes.subarray(0, target.length));
  };
  return { ...pair, host: new Proxy(pair.host, { get: (host, name) => borrow(host, name, random) }) };
}

function borrow(host: TwoPartySession, name: string | symbol, random: RandomSource): unknown {
  if (name === 'random') return random;
  const value: unknown = Reflect.get(host, name, host);
  return typeof value === 'function' ? (value.bind(host) as unknown) : value;
}
