import { beforeAll, describe, expect, test } from '@jest/globals';
import { transferType } from '#sdk/two-party/transfer-plan.js';
import type { TransferJob } from '#sdk/two-party/oblivious-transfer.js';
import type { TwoPartySession } from '#sdk/two-party/session.js';
import type { Region } from '#sdk/two-party/two-party-kernel.js';
import { openPair, present, seededSource, type Pair } from '../../../support/two-party.ts';

const batch = 2048;
const groupBytes = 16;
const planeBytes = (batch / 128) * groupBytes;

describe.each([4, 8] as const)('SoftSpokenOT, k = %p, one batch', (k) => {
  let pair: Pair;
  beforeAll(() => {
    pair = openPair(k, 50);
  });

  const job = (index: number): TransferJob => ({
    batch: 3,
    serial: 99,
    type: transferType('down', 'leaf', index),
  });

  /** Copies corrections from one kernel into the other, as a message would. */
  function carry(from: TwoPartySession, source: Region, to: TwoPartySession): Region {
    const target = to.kernel.take(source.bytes);
    to.kernel.bytes(target.address, source.bytes).set(from.kernel.bytes(source.address, source.bytes));
    return target;
  }

  const bit = (plane: Uint8Array, group: number, i: number, planes: number) => {
    // Value 4b + j of a group: bit b of lane j.
    const at = group * planes * groupBytes + 4 * (i % 4);
    const word = new DataView(plane.buffer, plane.byteOffset).getUint32(at, true);
    return (word >>> Math.floor(i / 4)) & 1;
  };

  test.each([false, true])('words: the receiver has the message of its choice (chosen: %p)', (chosen) => {
    const { client, host } = pair;
    const [choice, target] = [host.kernel.take(planeBytes), host.kernel.take(batch * 4)];
    const corrections = host.kernel.take(host.receiver.sizes.pairBytes(chosen));
    if (chosen) seededSource(1)(host.kernel.bytes(choice.address, planeBytes));
    host.receiver.receivePairs(job(chosen ? 1 : 2), {
      chosen,
      words: true,
      choice: choice.address,
      corrections: corrections.address,
      target: target.address,
    });
    const [zero, difference] = [client.kernel.take(batch * 4), client.kernel.take(batch * 4)];
    client.sender.sendPairs(job(chosen ? 1 : 2), {
      chosen,
      words: true,
      corrections: carry(host, corrections, client).address,
      zero: zero.address,
      difference: difference.address,
    });
    const choices = host.kernel.bytes(choice.address, planeBytes).slice();
    const got = host.kernel.words(target.address, batch).slice();
    const m0 = client.kernel.words(zero.address, batch).slice();
    const delta = client.kernel.words(difference.address, batch).slice();
    let ones = 0;
    for (let i = 0; i < batch; i++) {
      const selected = bit(choices, Math.floor(i / 128), i % 128, 1);
      ones += selected;
      const m1 = (present(m0[i]) + present(delta[i])) >>> 0;
      expect(got[i]).toBe(selected === 1 ? m1 : present(m0[i]));
      expect(got[i]).not.toBe(selected === 1 ? present(m0[i]) : m1);
    }
    expect(Math.abs(ones - batch / 2)).toBeLessThan(6.5 * Math.sqrt(batch / 4));
    expect(new Set([...m0, ...got]).size).toBeGreaterThan(batch);
  });

  test('leaves: the receiver has the two bits of its choice; those of the fifteen others look like coins', () => {
    const { client, host } = pair;
    const planes = host.kernel.take((batch / 128) * 32 * groupBytes);
    const values = host.kernel.take(batch * 4);
    seededSource(2)(host.kernel.bytes(values.address, batch * 4));
    host.kernel.loops.splitPlanes(values.address, planes.address, batch / 128);
    const offset = 5;
    const pads = host.kernel.take(2 * planeBytes);
    const corrections = host.kernel.take(host.receiver.sizes.leafBytes);
    host.receiver.receiveLeaves(job(3), {
      width: 4,
      choicePlanes: planes.address + offset * groupBytes,
      corrections: corrections.address,
      pads: pads.address,
      secondPads: 0,
    });
    const tables = client.kernel.take(batch * 4);
    client.sender.sendLeaves(job(3), {
      width: 4,
      bits: 2,
      corrections: carry(host, corrections, client).address,
      pads: tables.address,
      secondPads: 0,
    });
    const choices = host.kernel.words(values.address, batch).slice();
    const got = host.kernel.bytes(pads.address, 2 * planeBytes).slice();
    const sent = client.kernel.words(tables.address, batch).slice();
    const equal = new Array<number>(16).fill(0);
    for (let i = 0; i < batch; i++) {
      const selected = (present(choices[i]) >>> offset) & 15;
      const pad =
        bit(got, Math.floor(i / 128), i % 128, 2) |
        (bit(got.subarray(groupBytes), Math.floor(i / 128), i % 128, 2) << 1);
      for (let x = 0; x < 16; x++)
        if (((present(sent[i]) >>> (2 * x)) & 3) === pad)
          equal[x ^ selected] = present(equal[x ^ selected]) + 1;
    }
    const [mine, ...others] = equal;
    expect(mine).toBe(batch);
    for (const count of others)
      expect(Math.abs(count - batch / 4)).toBeLessThan(6.5 * Math.sqrt((batch * 3) / 16));
  });

  test('sizes: 15/8 of 128/k columns for a leaf, one less than 128/k for a random pair', () => {
    const { sizes } = pair.host.receiver;
    const bits = (bytes: number) => (8 * bytes) / batch;
    expect(bits(sizes.leafBytes)).toBe(240 / k);
    expect(bits(sizes.pairBytes(true))).toBe(128 / k);
    expect(bits(sizes.pairBytes(false))).toBe(128 / k - 1);
  });
});
