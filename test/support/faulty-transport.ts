import { fetchTransport, type PrivateChannel, type Transport } from '@cipherdose/sdk';
import { DenoiseError } from '@cipherdose/sdk/errors';

/** What becomes of a message: it is passed on, as these messages, or the connection breaks. */
export type Fate = 'pass' | 'break' | readonly Uint8Array<ArrayBuffer>[];

export interface Faults {
  /** Of the nth message of all sessions, from 0 on, that the host sends. */
  readonly received?: (message: Uint8Array<ArrayBuffer>, nth: number) => Fate;
  /** Of those that the client sends. */
  readonly sent?: (message: Uint8Array<ArrayBuffer>, nth: number) => Fate;
}

/** A transport to a real host that meddles with the messages of private sessions. */
export class FaultyTransport {
  readonly transport: Transport;
  #faults: Faults = {};
  sessions = 0;
  received = 0;
  sent = 0;

  constructor(serverUrl: string) {
    const real = fetchTransport({ serverUrl, timeoutMs: 10_000 });
    this.transport = {
      ...real,
      openPrivate: async (ticket, listener, signal) => {
        this.sessions++;
        let broken = false;
        const breakOff = (): void => {
          broken = true;
          channel.close(false);
          listener.closed(new DenoiseError('HOST_UNREACHABLE', { test: true }));
        };
        const meddle = (
          fate: Fate,
          message: Uint8Array<ArrayBuffer>,
          pass: (message: Uint8Array<ArrayBuffer>) => void,
        ): void => {
          if (fate === 'break') breakOff();
          else for (const each of fate === 'pass' ? [message] : fate) pass(each);
        };
        const open = real.openPrivate as NonNullable<Transport['openPrivate']>;
        const channel: PrivateChannel = await open(
          ticket,
          {
            message: (message) => {
              if (broken) return;
              meddle(this.#fate('received', message), message, (each) => listener.message(each));
            },
            closed: (error) => {
              if (!broken) listener.closed(error);
            },
          },
          signal,
        );
        return {
          get bufferedBytes() {
            return channel.bufferedBytes;
          },
          send: (message) => {
            if (broken) return;
            meddle(this.#fate('sent', message), message, (each) => channel.send(each));
          },
          close: (done) => channel.close(done),
        };
      },
    };
  }

  #fate(way: 'received' | 'sent', message: Uint8Array<ArrayBuffer>): Fate {
    const nth = this[way]++;
    return this.#faults[way]?.(message, nth) ?? 'pass';
  }

  /** Counts from 0 again. */
  meddle(faults: Faults): void {
    this.#faults = faults;
    this.sessions = this.received = this.sent = 0;
  }
}
