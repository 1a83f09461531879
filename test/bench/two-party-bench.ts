// npm run bench:two-party [-- --count N] [-- --json]: both sides of the two-party activation in one thread. Prints what
// each side computes and what travels, before and after the image is known. Fails where one result differs.
import { parseArgs } from 'node:util';
import {
  ActivateClient,
  ActivateHost,
  checkActivation,
  chunkActivations,
  ClientHandshake,
  HostHandshake,
  PrepareClient,
  PrepareHost,
  type ActivationLiteral,
  type FieldBits,
  type TwoPartySession,
} from '#sdk/two-party/index.js';
import { activatedModulo, clientShares, edgesAndRandom, present } from '../support/two-party.ts';

type Side = 'client' | 'host';
type Phase = 'handshake' | 'offline' | 'online';

/** Processor time by side and phase, microseconds. */
class Clock {
  readonly #spent = new Map<string, number>();

  time<Value>(side: Side, phase: Phase, work: () => Value): Value {
    const start = process.cpuUsage();
    const value = work();
    const { user, system } = process.cpuUsage(start);
    const name = `${side} ${phase}`;
    this.#spent.set(name, (this.#spent.get(name) ?? 0) + user + system);
    return value;
  }

  of(side: Side, phase: Phase): number {
    return this.#spent.get(`${side} ${phase}`) ?? 0;
  }
}

function openSessions(
  clock: Clock,
  fieldBits: FieldBits,
): { client: TwoPartySession; host: TwoPartySession } {
  const host = clock.time('host', 'handshake', () => new HostHandshake({ fieldBits }));
  const client = clock.time('client', 'handshake', () => new ClientHandshake());
  const first = clock.time('client', 'handshake', () => client.receive(host.hello));
  const second = clock.time('host', 'handshake', () => host.receive(present(first.send)));
  const third = clock.time('client', 'handshake', () => client.receive(present(second.send)));
  const fourth = clock.time('host', 'handshake', () => host.receive(present(third.send)));
  return { client: present(third.result), host: present(fourth.result) };
}

function benchActivation(fieldBits: FieldBits, literal: ActivationLiteral, count: number) {
  const clock = new Clock();
  const parameters = checkActivation(literal);
  const { client, host } = openSessions(clock, fieldBits);
  const accumulators = edgesAndRandom(parameters, count, 1);
  const modulus = 2 ** parameters.outputBits;
  let wrong = 0;
  for (let at = 0; at < count; at += chunkActivations) {
    const chunk = accumulators.subarray(at, at + chunkActivations);
    const n = chunk.length;
    const hostSide = clock.time('host', 'offline', () => new PrepareHost(host, parameters, n));
    const clientSide = clock.time('client', 'offline', () => new PrepareClient(client, parameters, n));
    const prepared = clock.time('client', 'offline', () => clientSide.receive(hostSide.corrections));
    const ready = present(
      clock.time('host', 'offline', () => hostSide.receive(present(prepared.send))).result,
    );
    const shares = clientShares(chunk, ready.masks);
    const clientRun = clock.time(
      'client',
      'online',
      () => new ActivateClient(present(prepared.result), shares),
    );
    const hostRun = clock.time('host', 'online', () => new ActivateHost(ready));
    const m3 = clock.time('host', 'online', () => hostRun.receive(clientRun.tables));
    const m4 = clock.time('client', 'online', () => clientRun.receive(present(m3.send)));
    const m5 = clock.time('host', 'online', () => hostRun.receive(present(m4.send)));
    const m6 = clock.time('client', 'online', () => clientRun.receive(present(m5.send)));
    const last = clock.time('host', 'online', () => hostRun.receive(present(m6.send)));
    const [ours, theirs] = [present(m6.result), present(last.result)];
    chunk.forEach((y, i) => {
      if ((present(ours[i]) + present(theirs[i])) % modulus !== activatedModulo(y, parameters)) wrong++;
    });
  }
  const each = (side: Side, phase: Phase) => clock.of(side, phase) / count;
  const bytes = (phase: Phase) => {
    const { sent, received } = client.counters.bytes(phase);
    return sent + received;
  };
  return {
    fieldBits,
    literal,
    count,
    wrong,
    microseconds: {
      client: { offline: each('client', 'offline'), online: each('client', 'online') },
      host: { offline: each('host', 'offline'), online: each('host', 'online') },
    },
    bytes: { offline: bytes('offline') / count, online: bytes('online') / count },
    handshake: {
      bytes: bytes('handshake'),
      clientMilliseconds: clock.of('client', 'handshake') / 1000,
      hostMilliseconds: clock.of('host', 'handshake') / 1000,
    },
    memoryMiB: {
      client: client.kernel.memoryBytes / 2 ** 20,
      host: host.kernel.memoryBytes / 2 ** 20,
    },
  };
}

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, count: { type: 'string', default: '1000000' } },
});
const count = Number(values.count);
const choices: [FieldBits, number, number, number, number][] = [
  // The layers of the private model that comes along.
  [4, 26, 10, 10, 26],
  [4, 26, 12, 0, 14],
  [4, 20, 8, 0, 20],
  [4, 20, 8, 0, 25],
  [4, 20, 8, 8, 25],
  [4, 25, 12, 8, 25],
  [4, 26, 12, 0, 26],
  [8, 20, 8, 0, 20],
  [8, 20, 8, 8, 25],
];
const figures = choices.map(([fieldBits, accumulatorBits, shift, clampBits, outputBits]) => {
  console.error(
    `k=${String(fieldBits)} l=${String(accumulatorBits)} shift=${String(shift)} clamp=${String(clampBits)} ...`,
  );
  return benchActivation(
    fieldBits,
    { accumulatorBits, shift, clampBits, outputBits, rounding: 'half-up' },
    count,
  );
});

if (values.json) console.log(JSON.stringify(figures));
else {
  console.log('             CPU us an activation           bytes an activation');
  console.log(' k  l shift clamp out | client off on | host off on | off on all | wrong of');
  for (const { fieldBits, literal, microseconds, bytes, wrong } of figures) {
    const { accumulatorBits, shift, clampBits, outputBits } = literal;
    const us = ({ offline, online }: { offline: number; online: number }) =>
      `${offline.toFixed(2)} ${online.toFixed(2)}`;
    console.log(
      [
        [fieldBits, accumulatorBits, shift, clampBits, outputBits]
          .map((value) => String(value).padStart(2))
          .join('  '),
        us(microseconds.client),
        us(microseconds.host),
        `${bytes.offline.toFixed(1)} ${bytes.online.toFixed(1)} ${(bytes.offline + bytes.online).toFixed(1)}`,
        `${String(wrong)} of ${String(count)}`,
      ].join(' | '),
    );
  }
  for (const { fieldBits, handshake, memoryMiB } of [present(figures[0]), present(figures.at(-1))])
    console.log(
      `k=${String(fieldBits)}: handshake ${(handshake.bytes / 1000).toFixed(0)} kB, client ` +
        `${handshake.clientMilliseconds.toFixed(0)} ms, host ${handshake.hostMilliseconds.toFixed(0)} ms; memory for ` +
        `${String(chunkActivations)} at a time: client ${memoryMiB.client.toFixed(0)} MiB, host ${memoryMiB.host.toFixed(0)} MiB`,
    );
}
if (figures.some(({ wrong }) => wrong > 0)) process.exitCode = 1;
