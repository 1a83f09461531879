import { DenoiseError } from '../errors/index.ts';

// The whole exchange of private mode, on one WebSocket; one message of it is one binary message of the socket.
//
// Before: POST /v1/private/tickets (tickets.ts), then GET /v1/private with the subprotocols of `ticketProtocols`.
//
// Opening. The session's id is what the host drew for the two-party handshake; layer and slice are 0.
//   h -> c  handshake 0   hello        )
//   c -> h  handshake 1   clientBase   )  messages of sdk/src/two-party, whole, with their own headers
//   h -> c  handshake 2   hostBase     )
//   c -> h  handshake 3   clientSeeds  )
//   c -> h  publicKey 0   `encodePublicKey` of the session
//
// A slice, before its image is there (offline). Slices are numbered from 1 on, one after the other. The client opens the
// next one when the one before is prepared, and while fewer than `slices` (of the ticket) are not finished.
//   c -> h  open 0        `encodeOpen`: size of the image; resumption ticket or zeros
//   h -> c  opened 0      `encodeOpened`: first layer; a new resumption ticket of this slice
// Then, for every layer from the first one on, two streams which do not wait for one another, each in order of layers,
// and of pieces inside a layer:
//   c -> h  frame g       group g of the layer (`shareLayer`): the encrypted uniform map x'_C, modulo t
//   h -> c  frame g       its reply: W x'_C - r', modulo t
//   h -> c  corrections p hostCorrections of chunk p of the layer's activations (`SliceLayer.chunks`)
//   c -> h  corrections p clientCorrections
// The client has at most `framesInFlight` frames that are not answered, the host at most `correctionsInFlight`
// corrections; the host starts on its own after `opened`. A chunk takes its serial number when its hostCorrections are
// made, and the client's when they come: both in the same order. The slice is prepared when both streams are at their
// end.
//
// A slice, with its image (online). One slice at a time, in order of their numbers. For every layer from the first on:
//   c -> h  input p       piece p of `SliceLayer.inputs`: x_C - x'_C modulo 2^inputBits, `inputBits` each
//   h -> c  answer p      chunk p: W (x_C - x'_C + x_S) + b + r' - r modulo 2^answerBits, `answerBits` each;
//                         x_S is 0 before the plan's first layer. With the reply: u = y - r modulo 2^answerBits
//   c -> h  activation p  tables        )
//   h -> c  activation p  hostFirst     )
//   c -> h  activation p  clientSecond  )  of chunk p, messages of sdk/src/two-party, whole
//   h -> c  activation p  hostSecond    )
//   c -> h  activation p  clientLast    )  clientLast of the last layer is empty: its activation is a division alone
// Pieces of input go in order, and answers too, when all of the input is there. Chunks are independent of one another;
// inside a chunk the order is that above. Piece p of the next layer's input may follow clientLast of chunk p at once,
// before other chunks are done. Shares of the next layer's input are those of the activation, modulo 2^inputBits of it.
// After the last layer:
//   h -> c  result p      the host's share of chunk p, `outputBits` each, when clientLast of the chunk has come
//   c -> h  finished 0    empty; the host forgets the slice
//
// Resumption. A new session opens a slice with the ticket of the one that broke off. The host says with which layer it
// goes on: it keeps its share of that layer's input, and the client has to have its own. The host is never ahead of the
// client, and behind it by one layer at most: so a client keeps its shares of the inputs of the layer that runs and of the
// one before. First layer 0: the host has nothing (any more), and the slice begins anew. A ticket can be used once, by the
// same caller, for the same model and size; everything else of the new session is fresh.
//
// Lists of values are packed without gaps, value i at bits [i b, (i + 1) b), low bits first; what is left of the last byte
// is 0 (`packValues`).
//
// Whatever is not expected closes the socket, and both sides drop all they hold (but for resumption). The close code is
// 4000 plus the status of the error, its reason the code and, if there is one, the seconds to wait (close-reason.ts).
// 1000: the client is done; 1001 the host shuts down: HOST_CLOSING.

/** Messages of a session. */
export const privateKind = {
  handshake: 1,
  publicKey: 2,
  open: 3,
  opened: 4,
  frame: 5,
  corrections: 6,
  input: 7,
  answer: 8,
  activation: 9,
  result: 10,
  finished: 11,
} as const;

/** A name of {@link privateKind}. */
export type PrivateKind = keyof typeof privateKind;

/** What a message is about. */
export interface PrivateAddress {
  readonly kind: PrivateKind;
  /** 0 of messages that belong to no slice. */
  readonly slice: number;
  readonly layer: number;
  readonly piece: number;
}

/** A message that was checked: it came next, and belongs to the session. Its payload is a view of it. */
export interface PrivateMessage extends PrivateAddress {
  readonly payload: Uint8Array<ArrayBuffer>;
}

/**
 * Magic "CDPS", version u8, kind u8, layer u16, session 8 bytes, number u32, slice u32, piece u32, payload length u32;
 * little endian. Each side numbers what it sends, from 0 on without a gap.
 */
export const privateHeaderBytes = 32;
/** No message is larger, whatever its header says. */
export const largestPrivateMessageBytes = 64 * 1024 * 1024;
/** Frames of a slice that a client may have sent without an answer. */
export const framesInFlight = 2;
/** Corrections of a slice that a host may have sent without an answer. */
export const correctionsInFlight = 2;

const magic = 0x53504443;
const version = 1;
const names = new Map<number, PrivateKind>(
  Object.entries(privateKind).map(([name, value]) => [value, name as PrivateKind]),
);

/** Writes the messages of one side of a session, with consecutive numbers. */
export class PrivateWriter {
  readonly #session: Uint8Array;
  #number = 0;

  /** @param session 8 bytes */
  constructor(session: Uint8Array) {
    this.#session = session.slice();
  }

  /** @returns the message in a buffer of its own; the payload is copied */
  write({ kind, slice, layer, piece }: PrivateAddress, payload: Uint8Array): Uint8Array<ArrayBuffer> {
    const message = new Uint8Array(privateHeaderBytes + payload.length);
    const view = new DataView(message.buffer);
    view.setUint32(0, magic, true);
    view.setUint8(4, version);
    view.setUint8(5, privateKind[kind]);
    view.setUint16(6, layer, true);
    message.set(this.#session, 8);
    view.setUint32(16, this.#number++, true);
    view.setUint32(20, slice, true);
    view.setUint32(24, piece, true);
    view.setUint32(28, payload.length, true);
    message.set(payload, privateHeaderBytes);
    return message;
  }
}

/** Reads the messages of the other side: each number once, in order. */
export class PrivateReader {
  #session: Uint8Array | undefined;
  #next = 0;

  /** @param session undefined on the client: its first message names the session */
  constructor(session?: Uint8Array) {
    this.#session = session?.slice();
  }

  /** Id of the session, when it is known. */
  get session(): Uint8Array | undefined {
    return this.#session;
  }

  /**
   * @returns the message; whether it is the one that is waited for is up to the caller
   * @throws TWO_PARTY_FOREIGN (another protocol or session), TWO_PARTY_REPLAYED (an earlier number), TWO_PARTY_ORDER (a
   *   later one, or no known kind), TWO_PARTY_LENGTH, TWO_PARTY_TOO_LARGE
   */
  read(message: Uint8Array<ArrayBuffer>): PrivateMessage {
    const bytes = message.length;
    if (bytes > largestPrivateMessageBytes)
      throw new DenoiseError('TWO_PARTY_TOO_LARGE', { bytes, limit: largestPrivateMessageBytes });
    if (bytes < privateHeaderBytes)
      throw new DenoiseError('TWO_PARTY_LENGTH', { bytes, expected: privateHeaderBytes });
    const view = new DataView(message.buffer, message.byteOffset, bytes);
    if (view.getUint32(0, true) !== magic || view.getUint8(4) !== version)
      throw new DenoiseError('TWO_PARTY_FOREIGN', { part: 'header' });
    const session = message.subarray(8, 16);
    this.#session ??= session.slice();
    if (this.#session.some((byte, i) => byte !== session[i]))
      throw new DenoiseError('TWO_PARTY_FOREIGN', { part: 'session' });
    const number = view.getUint32(16, true);
    if (number !== this.#next)
      throw new DenoiseError(number < this.#next ? 'TWO_PARTY_REPLAYED' : 'TWO_PARTY_ORDER', {
        received: number,
        expected: this.#next,
      });
    const kind = names.get(view.getUint8(5));
    if (!kind) throw new DenoiseError('TWO_PARTY_ORDER', { kind: view.getUint8(5) });
    const announced = view.getUint32(28, true);
    if (announced !== bytes - privateHeaderBytes)
      throw new DenoiseError(
        bytes - privateHeaderBytes > announced ? 'TWO_PARTY_TOO_LARGE' : 'TWO_PARTY_LENGTH',
        { bytes: bytes - privateHeaderBytes, announced },
      );
    this.#next++;
    return {
      kind,
      slice: view.getUint32(20, true),
      layer: view.getUint16(6, true),
      piece: view.getUint32(24, true),
      payload: message.subarray(privateHeaderBytes),
    };
  }
}
