import { describe, expect, test } from '@jest/globals';
import { ActivationQuota } from '#server/private/activation-quota.js';
import { Resumptions, type SliceIdentity } from '#server/private/resumptions.js';
import { SessionTickets } from '#server/private/session-tickets.js';
import { refusal } from '../../support/refusal.ts';

/** A clock that tests move. */
function clock() {
  let milliseconds = 0;
  return { now: () => milliseconds, pass: (seconds: number) => (milliseconds += 1000 * seconds) };
}

describe('tickets', () => {
  const open = () => {
    const { now, pass } = clock();
    const limits = { seconds: 30, most: 3, mostOfCaller: 2, now };
    return { tickets: new SessionTickets<{ caller: string }>(limits), pass };
  };

  test('are good once', () => {
    const { tickets } = open();
    const ticket = tickets.give({ caller: 'a' });
    expect(ticket).toMatch(/^[\w-]{43}$/);
    expect(tickets.use(ticket)).toEqual({ caller: 'a' });
    expect(() => tickets.use(ticket)).toThrow(refusal('TICKET_INVALID'));
  });

  test('that are unknown, missing or of another host are refused', () => {
    const { tickets } = open();
    tickets.give({ caller: 'a' });
    for (const other of [undefined, '', open().tickets.give({ caller: 'a' })])
      expect(() => tickets.use(other)).toThrow(refusal('TICKET_INVALID'));
    expect(tickets.held).toBe(1);
  });

  test('expire, and no more than a number of them wait', () => {
    const { tickets, pass } = open();
    const first = tickets.give({ caller: 'a' });
    pass(20);
    tickets.give({ caller: 'a' });
    expect(() => tickets.give({ caller: 'a' })).toThrow(refusal('HOST_BUSY'));
    const second = tickets.give({ caller: 'b' });
    expect(() => tickets.give({ caller: 'c' })).toThrow(refusal('HOST_BUSY'));
    pass(10);
    expect(() => tickets.use(first)).toThrow(refusal('TICKET_INVALID'));
    expect(tickets.use(second)).toEqual({ caller: 'b' });
    expect(tickets.held).toBe(1);
  });
});

describe('the quota', () => {
  test('holds for each caller, says how long to wait, and begins anew', () => {
    const { now, pass } = clock();
    const quota = new ActivationQuota({ activations: 100, perSeconds: 60 }, now);
    quota.charge('a', 60);
    quota.charge('b', 100);
    pass(20);
    quota.charge('a', 40);
    expect(() => quota.charge('a', 1)).toThrow(
      expect.objectContaining({
        code: 'QUOTA_EXCEEDED',
        details: { activations: 100, perSeconds: 60, retryAfterSeconds: 40 },
      }),
    );
    pass(40);
    quota.charge('a', 100);
  });
});

describe('resumption', () => {
  const identity: SliceIdentity = { caller: 'a', digest: 'd', height: 10, width: 20 };
  const open = (mostBytes = 1000) => {
    const { now, pass } = clock();
    return { resumptions: new Resumptions({ seconds: 60, mostBytes, now }), pass };
  };
  const nobody = () => {
    throw new Error('nobody is superseded');
  };
  const share = () => ({ layer: 1, share: Uint32Array.of(5, 6, 7) });

  test('gives the last share back once, and a new ticket for it', () => {
    const { resumptions } = open();
    const first = resumptions.begin(identity, undefined, nobody);
    expect(first.grant.resumed).toBeUndefined();
    first.reached({ layer: 1, share: Uint32Array.of(1) });
    first.reached({ layer: 2, share: Uint32Array.of(5, 6, 7) });
    first.broken();
    const second = resumptions.begin(identity, first.grant.ticket, nobody);
    expect(second.grant.resumed).toEqual({ layer: 2, share: Uint32Array.of(5, 6, 7) });
    expect(second.grant.ticket).not.toEqual(first.grant.ticket);
    expect(resumptions.begin(identity, first.grant.ticket, nobody).grant.resumed).toBeUndefined();
    // The second session ends before its first layer does.
    second.broken();
    const third = resumptions.begin(identity, second.grant.ticket, nobody);
    expect(third.grant.resumed).toEqual({ layer: 2, share: Uint32Array.of(5, 6, 7) });
  });

  test('is for the same caller, model and size alone', () => {
    const { resumptions } = open();
    const first = resumptions.begin(identity, undefined, nobody);
    first.reached(share());
    first.broken();
    for (const change of [{ caller: 'b' }, { digest: 'e' }, { height: 20 }, { width: 10 }]) {
      const other = resumptions.begin({ ...identity, ...change }, first.grant.ticket, nobody);
      expect(other.grant.resumed).toBeUndefined();
    }
    expect(resumptions.begin(identity, first.grant.ticket, nobody).grant.resumed).toEqual(share());
  });

  test('wipes shares when they are replaced, finished, too old or too many', () => {
    const { resumptions, pass } = open(30);
    const wiped = Uint32Array.of(0, 0, 0);
    const shares = [share(), share(), share(), share(), share()] as const;
    const finished = resumptions.begin(identity, undefined, nobody);
    finished.reached(shares[0]);
    finished.reached(shares[1]);
    expect(shares[0].share).toEqual(wiped);
    finished.finished();
    expect(shares[1].share).toEqual(wiped);
    // What a thread tells late is wiped too.
    finished.reached(shares[2]);
    expect(shares[2].share).toEqual(wiped);

    const [old, young] = [1, 2].map(() => resumptions.begin(identity, undefined, nobody));
    old?.reached(shares[3]);
    old?.broken();
    pass(30);
    young?.reached(shares[4]);
    expect(resumptions.bytes).toBe(24);
    pass(31);
    resumptions.forgetExpired();
    expect(shares[3].share).toEqual(wiped);
    expect(shares[4].share).toEqual(share().share);

    const more = [share(), share()];
    for (const each of more) {
      const slice = resumptions.begin(identity, undefined, nobody);
      slice.reached(each);
      slice.broken();
    }
    expect(more.map((each) => each.share)).toEqual([wiped, share().share]);
    resumptions.clear();
    expect(resumptions.bytes).toBe(0);
    expect(shares[4].share).toEqual(wiped);
  });

  test('ends a session that only seems to live', () => {
    const { resumptions } = open();
    let superseded = 0;
    const first = resumptions.begin(identity, undefined, () => {
      superseded++;
      first.broken();
    });
    first.reached(share());
    expect(resumptions.begin(identity, first.grant.ticket, nobody).grant.resumed).toEqual(share());
    expect(superseded).toBe(1);
  });
});
