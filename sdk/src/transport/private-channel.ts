import { DenoiseError } from '../errors/index.ts';
import {
  closeDone,
  errorOfClose,
  privateProtocol,
  privateSessionPath,
  ticketProtocols,
} from '../private-session/index.ts';
import type { PrivateChannel, PrivateChannelListener } from './transport.ts';

/** Any code but that of the end says that a session broke off. */
const gaveUpCode = 4000;

/** Opens a WebSocket of the platform. */
export type OpenSocket = (address: string, protocols: string[]) => WebSocket;

export interface PrivateChannelOptions {
  /** Address of the model host. */
  readonly serverUrl: string;
  readonly ticket: string;
  /** Longest wait for the connection, milliseconds. */
  readonly timeoutMs: number;
  /** Default: the global WebSocket. */
  readonly openSocket?: OpenSocket;
}

const globalSocket: OpenSocket = (address, protocols) => new WebSocket(address, protocols);

/** Opens a session of private mode on a WebSocket of the platform. @throws HOST_UNREACHABLE, HOST_TIMEOUT, CANCELLED */
export function openPrivateChannel(
  { serverUrl, ticket, timeoutMs, openSocket = globalSocket }: PrivateChannelOptions,
  listener: PrivateChannelListener,
  signal?: AbortSignal,
): Promise<PrivateChannel> {
  const address = serverUrl.replace(/\/+$/, '').replace(/^http/, 'ws') + privateSessionPath;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(new DenoiseError('CANCELLED'));
      return;
    }
    const socket = openSocket(address, ticketProtocols(ticket));
    socket.binaryType = 'arraybuffer';
    let state: 'opening' | 'open' | 'over' = 'opening';
    const end = (error: DenoiseError): void => {
      const before = state;
      state = 'over';
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
      if (before === 'opening') reject(error);
      if (before === 'open') listener.closed(error);
    };
    const giveUp = (error: DenoiseError): void => {
      end(error);
      socket.close();
    };
    const cancel = (): void => giveUp(new DenoiseError('CANCELLED'));
    const timer = setTimeout(
      () => giveUp(new DenoiseError('HOST_TIMEOUT', { milliseconds: timeoutMs })),
      timeoutMs,
    );
    signal?.addEventListener('abort', cancel, { once: true });

    socket.addEventListener('open', () => {
      if (state !== 'opening') return;
      if (socket.protocol !== privateProtocol) {
        giveUp(new DenoiseError('HOST_RESPONSE', { protocol: socket.protocol }));
        return;
      }
      state = 'open';
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
      resolve({
        get bufferedBytes() {
          return socket.bufferedAmount;
        },
        send: (message) => {
          if (socket.readyState === WebSocket.OPEN) socket.send(message);
        },
        close: (done) => {
          state = 'over';
          socket.close(done ? closeDone.code : gaveUpCode);
        },
      });
    });
    socket.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      if (state !== 'open') return;
      if (data instanceof ArrayBuffer) listener.message(new Uint8Array(data));
      else giveUp(new DenoiseError('TWO_PARTY_FOREIGN', { part: 'text' }));
    });
    socket.addEventListener('close', (event) => end(errorOfClose(event)));
    // Where a content security policy forbids the address, Chromium says nothing more.
    socket.addEventListener('error', () => {
      if (state === 'opening') end(new DenoiseError('HOST_UNREACHABLE', { address }));
    });
  });
}
