import { once } from 'node:events';
import {
  errorOfClose,
  privateSessionPath,
  privateTicketSchema,
  privateTicketsPath,
  ticketProtocols,
  type PrivateTicket,
} from '@cipherdose/sdk/private-session';
import type { DenoiseError } from '@cipherdose/sdk/errors';
import { PrivateTestClient, type TestClientOptions } from './private-client.ts';

/** Asks a host for a ticket; the answer is not checked. */
export function askTicket(
  url: string,
  body: { readonly model: string; readonly digest: string },
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(new URL(privateTicketsPath, url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

export async function getTicket(...args: Parameters<typeof askTicket>): Promise<PrivateTicket> {
  const response = await askTicket(...args);
  if (!response.ok) throw new Error(await response.text());
  return privateTicketSchema.parse(await response.json());
}

/**
 * Opens the WebSocket of a session.
 * @param ticket undefined: without one
 * @param headers an extension of Node's; browsers have none
 */
export function openSocket(url: string, ticket?: string, headers: Record<string, string> = {}): WebSocket {
  const address = new URL(privateSessionPath, url);
  address.protocol = address.protocol.replace('http', 'ws');
  const options = { protocols: ticket === undefined ? [] : ticketProtocols(ticket), headers };
  const socket = new WebSocket(address, options as unknown as string[]);
  socket.binaryType = 'arraybuffer';
  return socket;
}

/** Waits until a socket is closed. @returns why */
export async function closed(socket: WebSocket): Promise<DenoiseError> {
  const [event] = (await once(socket, 'close')) as [CloseEvent];
  return errorOfClose(event);
}

/** A test client on a real WebSocket. */
export class SocketClient {
  readonly client: PrivateTestClient;
  readonly socket: WebSocket;
  /** Why the socket closed. */
  readonly ended: Promise<DenoiseError>;
  received = 0;
  sent = 0;

  /** @param stopAfter messages that come from the host: then the connection breaks off */
  constructor(
    socket: WebSocket,
    options: Omit<TestClientOptions, 'send'>,
    stopAfter = Infinity,
    change: (message: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>[] = (message) => [message],
  ) {
    this.socket = socket;
    this.ended = closed(socket);
    this.client = new PrivateTestClient({
      ...options,
      send: (message) => {
        for (const bytes of change(message)) socket.send(bytes);
        this.sent++;
      },
    });
    let stopped = false;
    socket.addEventListener('message', ({ data }) => {
      if (stopped) return;
      this.received++;
      this.client.receive(new Uint8Array(data as ArrayBuffer));
      if (this.client.done) socket.close(1000);
      if (this.received < stopAfter) return;
      stopped = true;
      // A code that says nothing: as much of a broken connection as a WebSocket of the platform can do.
      socket.close(4000);
    });
  }
}
