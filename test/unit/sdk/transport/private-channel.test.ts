import { expect, test } from '@jest/globals';
import { fetchTransport, type OpenSocket } from '@cipherdose/sdk';
import { refusal } from '../../../support/refusal.ts';

const ticket = { ticket: 'a'.repeat(43), expiresInSeconds: 1, slices: 1, idleSeconds: 1 };
const silent = { message: () => undefined, closed: () => undefined };

/** A socket that says what it is told to. */
class FakeSocket extends EventTarget {
  binaryType = '';
  readonly protocol = '';
  closed = false;

  close(): void {
    this.closed = true;
  }
}

const opening = (socket: FakeSocket, asked: string[] = []): Promise<unknown> | undefined => {
  const openSocket: OpenSocket = (address, protocols) => {
    asked.push(address, ...protocols);
    return socket as unknown as WebSocket;
  };
  const transport = fetchTransport({ serverUrl: 'https://host.test/models/', timeoutMs: 10_000, openSocket });
  return transport.openPrivate?.(ticket, silent);
};

test('a session is asked for at the address of the host, with its ticket', async () => {
  const asked: string[] = [];
  const socket = new FakeSocket();
  const opened = opening(socket, asked);
  expect(asked).toEqual([
    'wss://host.test/models/v1/private',
    'cipherdose.private.1',
    `cipherdose.ticket.${ticket.ticket}`,
  ]);
  // A socket that fails without being closed, as under a content security policy, is not waited for.
  socket.dispatchEvent(new Event('error'));
  await expect(opened).rejects.toThrow(refusal('HOST_UNREACHABLE'));
});

test('a host that chooses another protocol is refused', async () => {
  const socket = new FakeSocket();
  const opened = opening(socket);
  socket.dispatchEvent(new Event('open'));
  await expect(opened).rejects.toThrow(refusal('HOST_RESPONSE'));
  expect(socket.closed).toBe(true);
});
