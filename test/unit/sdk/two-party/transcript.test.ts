import { beforeAll, describe, expect, test } from '@jest/globals';
import {
  ActivateClient,
  checkActivation,
  ClientHandshake,
  HostHandshake,
  TwoPartyKernel,
  type ActivationParameters,
} from '#sdk/two-party/index.js';
import { messageHeaderBytes, messageKind } from '#sdk/two-party/message.js';
import {
  activate,
  clientShares,
  openPair,
  prepare,
  present,
  seededSource,
  type Pair,
  type Spoken,
} from '../../../support/two-party.ts';
import { digestTranscript } from '../../../support/two-party-digest.ts';

const parameters = (accumulatorBits: number, shift: number, clampBits: number): ActivationParameters =>
  checkActivation({
    accumulatorBits,
    shift,
    clampBits,
    outputBits: Math.min(32, accumulatorBits + 2),
    rounding: 'half-up',
  });

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const kindOf = ({ message }: Spoken) => present(message[5]);
const payloadOf = ({ message }: Spoken) => message.subarray(messageHeaderBytes);
const run = (pair: Pair, checked: ActivationParameters, accumulators: Int32Array) =>
  activate(pair, prepare(pair, checked, accumulators.length), accumulators);

describe('frozen transcripts', () => {
  test.each([
    { k: 4 as const, l: 20, s: 8, clamp: 0, digest: '8bbc6bc76ce60ab5c2877d3776666c23' },
    { k: 4 as const, l: 19, s: 9, clamp: 7, digest: 'e0d76dd4852f73c3e8936bed02286fa1' },
    { k: 8 as const, l: 26, s: 12, clamp: 0, digest: '0c7e3978be9c8b5459365b5a9ddd25e6' },
  ])('k = $k, l = $l, shift $s, clamp $clamp', ({ k, l, s, clamp, digest }) => {
    const literal = {
      accumulatorBits: l,
      shift: s,
      clampBits: clamp,
      outputBits: l + 2,
      rounding: 'half-up' as const,
    };
    expect(digestTranscript(k, literal)).toBe(digest);
  });

  test('other randomness gives another transcript and the same results', () => {
    const checked = parameters(20, 8, 0);
    const accumulators = Int32Array.from({ length: 2048 }, (_, i) => i * 500 - 500_000);
    const [one, other] = [openPair(4, 1), openPair(4, 2)];
    const [first, second] = [run(one, checked, accumulators), run(other, checked, accumulators)];
    const sum = (shares: { client: Uint32Array; host: Uint32Array }) =>
      shares.client.map((share, i) => (share + present(shares.host[i])) & (2 ** 22 - 1));
    expect(sum(first)).toEqual(sum(second));
    one.spoken.forEach((spoken, i) => {
      if (spoken.from === 'host' && kindOf(spoken) === messageKind.hello) return;
      expect(hex(payloadOf(spoken))).not.toBe(hex(payloadOf(present(other.spoken[i]))));
    });
  });
});

/** Largest distance from half ones, in standard deviations, over each bit of the words of each block. */
function worstBias(payload: Uint8Array, mayBeZero: boolean): number {
  const blockWords = 2048;
  const words = new Uint32Array(payload.slice(0, payload.length & ~3).buffer);
  let worst = 0;
  for (let at = 0; at + blockWords <= words.length; at += blockWords)
    for (let bit = 0; bit < 32; bit++) {
      let ones = 0;
      for (let i = at; i < at + blockWords; i++) ones += (present(words[i]) >>> bit) & 1;
      // Entry 0 of a table, and the entries that a narrow digit does not have, are zero whatever is compared.
      if (mayBeZero && ones === 0) continue;
      worst = Math.max(worst, Math.abs(ones - blockWords / 2) / Math.sqrt(blockWords / 4));
    }
  return worst;
}

describe('what either side receives is balanced', () => {
  const count = 16_384;
  let pair: Pair;
  beforeAll(() => {
    pair = openPair(4, 9);
  });

  test.each([
    [20, 8, 0, 0],
    [20, 8, 0, -1],
    [20, 8, 0, 123_456],
    [20, 8, 8, -200_000],
    [20, 8, 8, 300],
    [19, 9, 0, 0],
    [14, 3, 2, 1000],
  ])('l = %p, shift %p, clamp %p, every accumulator %p', (l, s, clamp, y) => {
    pair.spoken.length = 0;
    run(pair, parameters(l, s, clamp), new Int32Array(count).fill(y));
    for (const spoken of pair.spoken) {
      const isTables = kindOf(spoken) === messageKind.tables;
      const payload =
        kindOf(spoken) === messageKind.hostCorrections ? payloadOf(spoken).subarray(16) : payloadOf(spoken);
      // 6.5 standard deviations: about 2^-33 for each of some 10^5 counts.
      expect({ kind: kindOf(spoken), high: worstBias(payload, isTables) > 6.5 }).toEqual({
        kind: kindOf(spoken),
        high: false,
      });
    }
  });

  test('the balance would show a table whose pads are missing', () => {
    expect(worstBias(new Uint8Array(8192).fill(0xf0), false)).toBeGreaterThan(40);
  });

  test('a digit narrower than its table sends zeros and nothing of its share in the rest', () => {
    const checked = parameters(14, 9, 0);
    expect(checked.tree.digits.map(({ width }) => width)).toEqual([3, 3, 3, 4]);
    const narrow = parameters(13, 9, 1);
    expect(narrow.tree.digits.map(({ width }) => width)).toEqual([3, 3, 3, 1, 2]);
    const pair = openPair(4, 8);
    const correlations = prepare(pair, narrow, 2048);
    const accumulators = new Int32Array(2048).fill(77);
    const client = new ActivateClient(
      correlations.client,
      clientShares(accumulators, correlations.host.masks),
    );
    const payload = client.tables.slice(messageHeaderBytes);
    const halves = new Uint16Array(payload.buffer);
    // Half words a table in the order of the digits: entries of 1 bit for 8 values, then of 2 bits for 8, 8, 2 and 4.
    const usedBits = [8, 16, 16, 4, 8];
    usedBits.forEach((bits, table) => {
      const run = halves.subarray(2048 * table, 2048 * (table + 1));
      expect(run.some((half) => half >= 2 ** bits)).toBe(false);
      expect(run.some((half) => half >= 2 ** (bits - 1))).toBe(true);
    });
  });
});

/** A kernel that notes what it is asked for. */
function watchedKernel(): {
  kernel: TwoPartyKernel;
  calls: { name: string; args: number[]; result: number }[];
} {
  const kernel = new TwoPartyKernel();
  const calls: { name: string; args: number[]; result: number }[] = [];
  const { loops } = kernel;
  const watched = Object.fromEntries(
    Object.entries(loops).map(([name, loop]) => [
      name,
      (...args: number[]) => {
        const result = loop(...args);
        calls.push({ name, args, result });
        return result;
      },
    ]),
  );
  Object.assign(kernel, { loops: watched });
  return { kernel, calls };
}

function openWatchedPair() {
  const client = watchedKernel();
  const host = watchedKernel();
  const hostSide = new HostHandshake({ random: seededSource(3), kernel: host.kernel });
  const clientSide = new ClientHandshake({ random: seededSource(4), kernel: client.kernel });
  const answer = clientSide.receive(hostSide.hello);
  const base = hostSide.receive(present(answer.send));
  const seeds = clientSide.receive(present(base.send));
  const last = hostSide.receive(present(seeds.send));
  const pair: Pair = { client: present(seeds.result), host: present(last.result), spoken: [] };
  return { pair, client, host };
}

let watched: ReturnType<typeof openWatchedPair>;
beforeAll(() => {
  watched = openWatchedPair();
});

test('no two OTs of a session share a tweak', () => {
  const { pair, client, host } = watched;
  for (const [l, s, clamp] of [
    [20, 8, 0],
    [20, 8, 8],
    [20, 8, 8],
    [31, 15, 0],
  ] as const)
    run(pair, parameters(l, s, clamp), new Int32Array(4096));
  const tweaks = ({ calls }: typeof client, senders: boolean) =>
    calls
      .filter(({ name }) =>
        (senders ? ['sendLeaves', 'sendPairs'] : ['receiveLeaves', 'receivePairs']).includes(name),
      )
      // Senders have one address more before the key.
      .map(({ args }) => args.slice(senders ? 5 : 4, senders ? 8 : 7).join(' '));
  for (const side of [client, host]) {
    const all = [...tweaks(side, true), ...tweaks(side, false)];
    expect(all.length).toBeGreaterThan(150);
    expect(new Set(all).size).toBe(all.length);
  }
  // What one side sends with, the other receives with.
  expect(tweaks(client, true).sort()).toEqual(tweaks(host, false).sort());
  expect(tweaks(host, true).sort()).toEqual(tweaks(client, false).sort());
});

test.each([
  [20, 8, 0],
  [20, 8, 8],
  [25, 9, 10],
  [31, 16, 0],
])('shares add up to the comparison at every leaf and node: l = %p, shift %p, clamp %p', (l, s, clamp) => {
  const checked = parameters(l, s, clamp);
  const { pair, client, host } = watched;
  const count = 2048;
  const planes = { client: new Map<number, Uint8Array[]>(), host: new Map<number, Uint8Array[]>() };
  const correlations = prepare(pair, checked, count);
  const size = 2 ** l;
  // The planes are copied when the call that makes them returns; later the memory is wiped.
  const note = (side: 'client' | 'host', { kernel }: typeof client) => {
    let made = 0;
    const { loops } = kernel;
    const noting = (name: 'writeTables' | 'readTables' | 'closeNode', greaterAt: number) => {
      const loop = loops[name];
      return (...args: number[]) => {
        const result = loop(...args);
        const copy = (address: number) => kernel.bytes(address, (count / 128) * 16).slice();
        planes[side].set(made++, [copy(present(args[greaterAt])), copy(present(args[greaterAt + 1]))]);
        return result;
      };
    };
    Object.assign(kernel, {
      loops: {
        ...loops,
        writeTables: noting('writeTables', 8),
        readTables: noting('readTables', 7),
        closeNode: noting('closeNode', 9),
      },
    });
    return () => Object.assign(kernel, { loops });
  };
  const restore = [note('client', client), note('host', host)];
  const accumulators = Int32Array.from({ length: count }, (_, i) =>
    i % 2 === 0 ? i * 97 - 90_000 : checked.lowest + i,
  );
  const masks = correlations.host.masks.slice();
  activate(pair, correlations, accumulators);
  for (const undo of restore) undo();

  const half = 2 ** (s - 1);
  const valueOf = (plane: Uint8Array, i: number) => {
    // Value 128 g + 4 b + j: bit b of lane j of vector g.
    const word = new DataView(plane.buffer).getUint32(16 * Math.floor(i / 128) + 4 * (i % 4), true);
    return (word >>> (Math.floor(i / 4) % 32)) & 1;
  };
  const { tree } = checked;
  const order: number[] = [];
  for (const { signal, cappedSignal } of tree.digits)
    order.push(signal, ...(cappedSignal === undefined ? [] : [cappedSignal]));
  const leaves = order.length;
  for (const { signal } of tree.nodes) order.push(signal);
  expect(planes.client.size).toBe(order.length);
  for (let i = 0; i < count; i++) {
    const mask = present(masks[i]);
    const r = (mask + half) % size;
    const u = (((present(accumulators[i]) - mask) % size) + size) % size;
    const greater: number[] = [];
    const equal: number[] = [];
    for (const { offset, width, signal, cappedSignal } of tree.digits) {
      const digit = (value: number) => Math.floor(value / 2 ** offset) % 2 ** width;
      const compare = (at: number, share: number) => {
        const v = 2 ** width - 1 - digit(share);
        greater[at] = Number(digit(r) > v);
        equal[at] = Number(digit(r) === v);
      };
      compare(signal, u);
      if (cappedSignal !== undefined) compare(cappedSignal, (((u - 2 ** (s + clamp)) % size) + size) % size);
    }
    for (const { high, low, signal } of tree.nodes) {
      greater[signal] = present(greater[high]) | (present(equal[high]) & present(greater[low]));
      equal[signal] = present(equal[high]) & present(equal[low]);
    }
    order.forEach((signal, made) => {
      const sum = (which: 0 | 1) =>
        valueOf(present(planes.client.get(made)?.[which]), i) ^
        valueOf(present(planes.host.get(made)?.[which]), i);
      const node = made < leaves ? undefined : present(tree.nodes[made - leaves]);
      const hasEqual = node ? node.givesEqual : signal !== 0;
      if (sum(0) !== greater[signal] || (hasEqual && sum(1) !== equal[signal]))
        throw new Error(`value ${String(i)}, signal ${String(signal)}`);
    });
  }
});
