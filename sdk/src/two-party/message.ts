import { DenoiseError } from '../errors/index.ts';

/** The messages of a session, in the order in which they travel for one serial number. */
export const messageKind = {
  hello: 1,
  clientBase: 2,
  hostBase: 3,
  clientSeeds: 4,
  hostCorrections: 16,
  clientCorrections: 17,
  tables: 32,
  hostFirst: 33,
  clientSecond: 34,
  hostSecond: 35,
  clientLast: 36,
} as const;

/** A name of {@link messageKind}. */
export type MessageKind = keyof typeof messageKind;

/** What a message must be to be taken. */
export interface ExpectedMessage {
  readonly kind: MessageKind;
  /** 8 bytes that the host drew. */
  readonly session: Uint8Array;
  /** Number of the piece of work inside the session; 0 is the handshake. */
  readonly serial: number;
  /** Exact length of what follows the header. */
  readonly payloadBytes: number;
}

/** Magic 'CD2P', version, kind, two zero bytes, session (8), serial (u32), payload length (u32); little endian. */
export const messageHeaderBytes = 24;

const magic = 0x50324443;
const version = 1;
/** No message of this protocol is larger, whatever its header says. */
export const largestMessageBytes = 64 * 1024 * 1024;

/** @returns a message whose payload is still zero, and the view of its payload */
export function startMessage(
  kind: MessageKind,
  session: Uint8Array,
  serial: number,
  payloadBytes: number,
): { message: Uint8Array; payload: Uint8Array } {
  const message = new Uint8Array(messageHeaderBytes + payloadBytes);
  const view = new DataView(message.buffer);
  view.setUint32(0, magic, true);
  view.setUint8(4, version);
  view.setUint8(5, messageKind[kind]);
  message.set(session, 8);
  view.setUint32(16, serial, true);
  view.setUint32(20, payloadBytes, true);
  return { message, payload: message.subarray(messageHeaderBytes) };
}

/** Facts of a header; nothing else of the message was looked at. */
export interface MessageHeader {
  readonly kind: number;
  readonly session: Uint8Array;
  readonly serial: number;
  readonly payloadBytes: number;
}

/**
 * Reads a header, so that whoever owns the connection can hand the message to the right piece of work.
 * @throws TWO_PARTY_LENGTH, TWO_PARTY_FOREIGN, TWO_PARTY_TOO_LARGE
 */
export function readHeader(message: Uint8Array): MessageHeader {
  if (message.length > largestMessageBytes)
    throw new DenoiseError('TWO_PARTY_TOO_LARGE', { bytes: message.length, limit: largestMessageBytes });
  if (message.length < messageHeaderBytes)
    throw new DenoiseError('TWO_PARTY_LENGTH', { bytes: message.length, expected: messageHeaderBytes });
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  if (view.getUint32(0, true) !== magic || view.getUint8(4) !== version || view.getUint16(6, true) !== 0)
    throw new DenoiseError('TWO_PARTY_FOREIGN', { part: 'header' });
  return {
    kind: view.getUint8(5),
    session: message.slice(8, 16),
    serial: view.getUint32(16, true),
    payloadBytes: view.getUint32(20, true),
  };
}

/**
 * @returns the payload of the message that is expected next
 * @throws TWO_PARTY_FOREIGN (another protocol or session), TWO_PARTY_REPLAYED (an earlier one), TWO_PARTY_ORDER (a
 *   later one), TWO_PARTY_LENGTH (truncated), TWO_PARTY_TOO_LARGE (longer than it may be)
 */
export function openMessage(message: Uint8Array, expected: ExpectedMessage): Uint8Array {
  const header = readHeader(message);
  if (header.session.some((byte, i) => byte !== expected.session[i]))
    throw new DenoiseError('TWO_PARTY_FOREIGN', { part: 'session' });
  const order = header.serial - expected.serial || header.kind - messageKind[expected.kind];
  if (order !== 0)
    throw new DenoiseError(order < 0 ? 'TWO_PARTY_REPLAYED' : 'TWO_PARTY_ORDER', {
      expected: `${expected.kind} of ${String(expected.serial)}`,
      received: `${String(header.kind)} of ${String(header.serial)}`,
    });
  const bytes = message.length - messageHeaderBytes;
  const facts = { bytes, announced: header.payloadBytes, expected: expected.payloadBytes };
  if (bytes > expected.payloadBytes || header.payloadBytes > expected.payloadBytes)
    throw new DenoiseError('TWO_PARTY_TOO_LARGE', facts);
  if (bytes !== expected.payloadBytes || header.payloadBytes !== bytes)
    throw new DenoiseError('TWO_PARTY_LENGTH', facts);
  return message.subarray(messageHeaderBytes);
}
