import { beforeAll, describe, expect, test } from '@jest/globals';
import {
  ActivateClient,
  ActivateHost,
  checkActivation,
  ClientHandshake,
  HostHandshake,
  PrepareClient,
  PrepareHost,
  type ActivationLiteral,
} from '#sdk/two-party/index.js';
import { largestMessageBytes } from '#sdk/two-party/message.js';
import {
  activate,
  clientShares,
  openPair,
  prepare,
  present,
  seededSource,
  type Pair,
} from '../support/two-party.ts';

const literal: ActivationLiteral = {
  accumulatorBits: 20,
  shift: 8,
  clampBits: 8,
  outputBits: 25,
  rounding: 'half-up',
};
const parameters = checkActivation(literal);
const count = 100;
const accumulators = Int32Array.from({ length: count }, (_, i) => i * 1000 - 40_000);

const code = (name: string) => expect.objectContaining({ name: 'DenoiseError', code: name }) as unknown;

/** A machine that waits for a message, the right one, and another of its conversation. */
interface Waiting {
  readonly machine: {
    receive(message: Uint8Array): { readonly result?: Uint32Array | { drop(): void } };
    drop(): void;
  };
  readonly right: Uint8Array;
  /** Whether the machine waits for nothing after it. */
  readonly last?: boolean;
  readonly earlier?: Uint8Array;
  readonly later?: Uint8Array;
}

type Place = (pair: Pair) => Waiting;

/** Every message of a piece of work, each with the machine that waits for it. */
const places: Record<string, Place> = {
  hostCorrections: (pair) => {
    const host = new PrepareHost(pair.host, parameters, count);
    const later = new PrepareHost(pair.host, parameters, count);
    later.drop();
    const machine = new PrepareClient(pair.client, parameters, count);
    host.drop();
    pair.client.takeSerial();
    return { machine, right: host.corrections, last: true, later: later.corrections };
  },
  clientCorrections: (pair) => {
    const machine = new PrepareHost(pair.host, parameters, count);
    const client = new PrepareClient(pair.client, parameters, count).receive(machine.corrections);
    present(client.result).drop();
    return { machine, right: present(client.send), last: true, earlier: machine.corrections };
  },
  tables: (pair) => {
    const { client, host, activation } = startActivation(pair);
    client.drop();
    return { machine: host, right: client.tables, earlier: activation.earlier };
  },
  hostFirst: (pair) => {
    const { client, host } = startActivation(pair);
    const first = present(host.receive(client.tables).send);
    host.drop();
    return { machine: client, right: first, earlier: client.tables };
  },
  clientSecond: (pair) => {
    const { client, host } = startActivation(pair);
    const first = present(host.receive(client.tables).send);
    const second = present(client.receive(first).send);
    client.drop();
    return { machine: host, right: second, earlier: client.tables };
  },
  hostSecond: (pair) => {
    const { client, host } = startActivation(pair);
    const first = present(host.receive(client.tables).send);
    const second = present(host.receive(present(client.receive(first).send)).send);
    host.drop();
    return { machine: client, right: second, last: true, earlier: first };
  },
  clientLast: (pair) => {
    const { client, host } = startActivation(pair);
    const first = present(host.receive(client.tables).send);
    const second = present(client.receive(first).send);
    const third = present(host.receive(second).send);
    return { machine: host, right: present(client.receive(third).send), last: true, earlier: second };
  },
};

function startActivation(pair: Pair) {
  const spoken = pair.spoken.length;
  const correlations = prepare(pair, parameters, count);
  const shares = clientShares(accumulators, correlations.host.masks);
  return {
    client: new ActivateClient(correlations.client, shares),
    host: new ActivateHost(correlations.host),
    activation: { earlier: present(pair.spoken[spoken]).message },
  };
}

let pair: Pair;
let foreign: Pair;
let before: { client: number; host: number };
const used = (of: Pair) => ({ client: of.client.kernel.usedBytes, host: of.host.kernel.usedBytes });

beforeAll(() => {
  pair = openPair(4, 30);
  foreign = openPair(4, 31);
  before = used(pair);
});

/** Refused, ended, and nothing of it left in memory. */
function expectEnd(waiting: Waiting, message: Uint8Array, name: string): void {
  expect(() => waiting.machine.receive(message)).toThrow(code(name));
  expect(() => waiting.machine.receive(waiting.right)).toThrow(code('TWO_PARTY_SPENT'));
  expect(used(pair)).toEqual(before);
}

describe.each(Object.entries(places))('the message %s', (_, place) => {
  test('is taken once', () => {
    const waiting = place(pair);
    const { result } = waiting.machine.receive(waiting.right);
    expect(() => waiting.machine.receive(waiting.right)).toThrow(
      code(waiting.last ? 'TWO_PARTY_SPENT' : 'TWO_PARTY_REPLAYED'),
    );
    if (result && 'drop' in result) result.drop();
    expect(used(pair)).toEqual(before);
  });

  test('of another session is refused', () => {
    const other = place(foreign);
    other.machine.drop();
    expectEnd(place(pair), other.right, 'TWO_PARTY_FOREIGN');
  });

  test('of another protocol is refused', () => {
    const waiting = place(pair);
    const message = waiting.right.slice();
    message[0] = 0;
    expectEnd(waiting, message, 'TWO_PARTY_FOREIGN');
  });

  test('truncated, with or without an honest header, is refused', () => {
    for (const keep of [(n: number) => n - 1, (n: number) => n - 16, () => 24, () => 23, () => 0]) {
      const waiting = place(pair);
      expectEnd(waiting, waiting.right.slice(0, keep(waiting.right.length)), 'TWO_PARTY_LENGTH');
    }
    const waiting = place(pair);
    const shorter = waiting.right.slice(0, waiting.right.length - 16);
    new DataView(shorter.buffer).setUint32(20, shorter.length - 24, true);
    expectEnd(waiting, shorter, 'TWO_PARTY_LENGTH');
  });

  test('too long, with or without an honest header, is refused', () => {
    for (const honest of [false, true]) {
      const waiting = place(pair);
      const longer = new Uint8Array(waiting.right.length + 16);
      longer.set(waiting.right);
      if (honest) new DataView(longer.buffer).setUint32(20, longer.length - 24, true);
      expectEnd(waiting, longer, 'TWO_PARTY_TOO_LARGE');
    }
    const waiting = place(pair);
    const announced = waiting.right.slice();
    new DataView(announced.buffer).setUint32(20, 0xffffffff, true);
    expectEnd(waiting, announced, 'TWO_PARTY_TOO_LARGE');
  });

  test('of the piece of work before or after is refused', () => {
    for (const [step, name] of [
      [-1, 'TWO_PARTY_REPLAYED'],
      [1, 'TWO_PARTY_ORDER'],
    ] as const) {
      const waiting = place(pair);
      const message = waiting.right.slice();
      const view = new DataView(message.buffer);
      view.setUint32(16, view.getUint32(16, true) + step, true);
      expectEnd(waiting, message, name);
    }
  });

  test('is not taken for another step', () => {
    const waiting = place(pair);
    if (waiting.earlier) expectEnd(waiting, waiting.earlier, 'TWO_PARTY_REPLAYED');
    else expectEnd(waiting, present(waiting.later), 'TWO_PARTY_ORDER');
    const again = place(pair);
    const kind = again.right.slice();
    kind[5] = present(kind[5]) + 1;
    expectEnd(again, kind, 'TWO_PARTY_ORDER');
  });

  test('that never comes leaves nothing behind', () => {
    const waiting = place(pair);
    waiting.machine.drop();
    expect(() => waiting.machine.receive(waiting.right)).toThrow(code('TWO_PARTY_SPENT'));
    expect(used(pair)).toEqual(before);
  });
});

describe('correlations', () => {
  test('are used once', () => {
    const correlations = prepare(pair, parameters, count);
    const shares = clientShares(accumulators, correlations.host.masks);
    const client = new ActivateClient(correlations.client, shares);
    const host = new ActivateHost(correlations.host);
    expect(() => new ActivateClient(correlations.client, shares)).toThrow(code('TWO_PARTY_SPENT'));
    expect(() => new ActivateHost(correlations.host)).toThrow(code('TWO_PARTY_SPENT'));
    client.drop();
    host.drop();
    expect(() => new ActivateClient(correlations.client, shares)).toThrow(code('TWO_PARTY_SPENT'));
    expect(used(pair)).toEqual(before);
  });

  test('that are dropped are wiped, masks too, and cannot be used', () => {
    const correlations = prepare(pair, parameters, count);
    expect(correlations.host.masks.some((mask) => mask !== 0)).toBe(true);
    expect(used(pair).client).toBeGreaterThan(before.client);
    correlations.client.drop();
    correlations.host.drop();
    expect(correlations.host.masks.every((mask) => mask === 0)).toBe(true);
    expect(used(pair)).toEqual(before);
    expect(() => new ActivateHost(correlations.host)).toThrow(code('TWO_PARTY_SPENT'));
    expect(() => new ActivateClient(correlations.client, new Uint32Array(count))).toThrow(
      code('TWO_PARTY_SPENT'),
    );
  });

  test('are not taken with another number of shares, and stay good', () => {
    const correlations = prepare(pair, parameters, count);
    expect(() => new ActivateClient(correlations.client, new Uint32Array(count + 1))).toThrow(
      code('TWO_PARTY_SHARES'),
    );
    const shares = activate(pair, correlations, accumulators);
    expect(shares.client).toHaveLength(count);
    expect(used(pair)).toEqual(before);
  });

  test.each([
    ['another shift', { shift: 7 }, count],
    ['another clamp', { clampBits: 7 }, count],
    ['another rounding', { rounding: 'down' as const }, count],
    ['another number of activations', {}, count + 1],
  ])('for %s than the other side prepares are refused', (_, change, hostCount) => {
    const host = new PrepareHost(pair.host, checkActivation({ ...literal, ...change }), hostCount);
    const client = new PrepareClient(pair.client, parameters, count);
    expect(() => client.receive(host.corrections)).toThrow(code('TWO_PARTY_PARAMETERS'));
    host.drop();
    expect(used(pair)).toEqual(before);
  });

  test.each([0, -1, 1.5, 65_537, Number.NaN])('for %p activations are refused', (wrong) => {
    expect(() => new PrepareHost(pair.host, parameters, wrong)).toThrow(code('TWO_PARTY_PARAMETERS'));
    expect(() => new PrepareClient(pair.client, parameters, wrong)).toThrow(code('TWO_PARTY_PARAMETERS'));
  });
});

describe('sessions', () => {
  test('count bytes and activations of each phase alike on both sides', () => {
    const own = openPair(4, 33);
    prepare(own, parameters, count);
    activate(own, prepare(own, parameters, count), accumulators);
    const bytes = (from: 'client' | 'host', messages: [number, number][]) =>
      own.spoken
        .filter((spoken, i) => spoken.from === from && messages.some(([low, high]) => i >= low && i < high))
        .reduce((sum, { message }) => sum + message.length, 0);
    for (const [phase, ranges] of [
      ['handshake', [[0, 4]]],
      ['offline', [[4, 8]]],
      ['online', [[8, 13]]],
    ] as const) {
      const expected = {
        sent: bytes('client', [...ranges] as never),
        received: bytes('host', [...ranges] as never),
      };
      expect(own.client.counters.bytes(phase)).toEqual(expected);
      expect(own.host.counters.bytes(phase)).toEqual({ sent: expected.received, received: expected.sent });
    }
    for (const { counters } of [own.client, own.host])
      expect([counters.prepared, counters.finished]).toEqual([2 * count, count]);
  });

  test('that are closed prepare nothing more and keep no seeds', () => {
    const own = openPair(4, 34);
    for (const side of [own.client, own.host]) {
      side.close();
      side.close();
      expect(side.kernel.usedBytes).toBe(0);
    }
    expect(() => new PrepareHost(own.host, parameters, count)).toThrow(code('TWO_PARTY_SPENT'));
    expect(() => new PrepareClient(own.client, parameters, count)).toThrow(code('TWO_PARTY_SPENT'));
  });

  const start = () => {
    const host = new HostHandshake({ random: seededSource(60) });
    return { host, client: new ClientHandshake({ random: seededSource(61) }) };
  };

  test('do not begin with a hello that is cut, too long, foreign, or asks for another field', () => {
    const { hello } = start().host;
    const changed = (at: number, to: number) => {
      const message = hello.slice();
      message[at] = to;
      return message;
    };
    for (const [message, name] of [
      [hello.slice(0, 20), 'TWO_PARTY_LENGTH'],
      [hello.slice(0, -1), 'TWO_PARTY_LENGTH'],
      [new Uint8Array([...hello, 0]), 'TWO_PARTY_TOO_LARGE'],
      [changed(0, 1), 'TWO_PARTY_FOREIGN'],
      [changed(4, 9), 'TWO_PARTY_FOREIGN'],
      [changed(5, 2), 'TWO_PARTY_ORDER'],
      [changed(16, 1), 'TWO_PARTY_ORDER'],
      [changed(24, 5), 'TWO_PARTY_PARAMETERS'],
      [new Uint8Array([...hello.subarray(0, -32), ...new Uint8Array(32)]), 'TWO_PARTY_ELEMENT'],
    ] as const)
      expect(() => start().client.receive(message)).toThrow(code(name));
  });

  test('do not take a message of the handshake twice or in another order', () => {
    const { host, client } = start();
    const answer = present(client.receive(host.hello).send);
    expect(() => start().host.receive(host.hello)).toThrow(code('TWO_PARTY_REPLAYED'));
    const base = present(host.receive(answer).send);
    expect(() => host.receive(answer)).toThrow(code('TWO_PARTY_REPLAYED'));
    expect(() => host.receive(answer)).toThrow(code('TWO_PARTY_SPENT'));
    expect(() => client.receive(host.hello)).toThrow(code('TWO_PARTY_REPLAYED'));
    expect(() => client.receive(base)).toThrow(code('TWO_PARTY_SPENT'));
  });

  test('refuse answers that are no group elements', () => {
    const { host, client } = start();
    const answer = present(client.receive(host.hello).send);
    answer.fill(0xff, answer.length - 32);
    expect(() => host.receive(answer)).toThrow(code('TWO_PARTY_ELEMENT'));
  });

  test('refuse a message above the limit before anything else is looked at', () => {
    const host = new PrepareHost(pair.host, parameters, count);
    pair.client.takeSerial();
    expect(() => host.receive(new Uint8Array(largestMessageBytes + 1))).toThrow(code('TWO_PARTY_TOO_LARGE'));
    expect(used(pair)).toEqual(before);
  });
});
