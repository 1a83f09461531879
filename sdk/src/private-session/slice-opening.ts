import { DenoiseError } from '../errors/index.ts';
import { limits } from '../protocol/index.ts';

/** Bytes of a resumption ticket. All zero: there is none. */
export const resumptionTicketBytes = 32;

/** What a client opens a slice with. */
export interface SliceOpening {
  /** Size of the image, pixels. */
  readonly height: number;
  readonly width: number;
  /** Of the slice that broke off. */
  readonly resume?: Uint8Array | undefined;
}

/** What the host answers. */
export interface SliceOpened {
  /** The first layer that runs; 0 where the slice begins anew. */
  readonly firstLayer: number;
  /** For a later session, should this one break off. */
  readonly ticket: Uint8Array;
}

const openBytes = 8 + resumptionTicketBytes;
const openedBytes = 4 + resumptionTicketBytes;

/** Height u32, width u32, resumption ticket or zeros; little endian. */
export function encodeOpen({ height, width, resume }: SliceOpening): Uint8Array<ArrayBuffer> {
  const payload = new Uint8Array(openBytes);
  const view = new DataView(payload.buffer);
  view.setUint32(0, height, true);
  view.setUint32(4, width, true);
  if (resume) payload.set(resume.subarray(0, resumptionTicketBytes), 8);
  return payload;
}

/** @throws TWO_PARTY_LENGTH, TWO_PARTY_TOO_LARGE, REQUEST_INVALID where there is no such size of an image */
export function decodeOpen(payload: Uint8Array): SliceOpening {
  checkLength(payload, openBytes);
  const view = viewOf(payload);
  const [height, width] = [view.getUint32(0, true), view.getUint32(4, true)];
  const most = limits.imageSide;
  if (height < 1 || width < 1 || height > most || width > most)
    throw new DenoiseError('REQUEST_INVALID', { height, width, most });
  const ticket = payload.slice(8);
  return { height, width, resume: ticket.some((byte) => byte !== 0) ? ticket : undefined };
}

/** First layer u32, ticket; little endian. */
export function encodeOpened({ firstLayer, ticket }: SliceOpened): Uint8Array<ArrayBuffer> {
  const payload = new Uint8Array(openedBytes);
  viewOf(payload).setUint32(0, firstLayer, true);
  payload.set(ticket.subarray(0, resumptionTicketBytes), 4);
  return payload;
}

/** @throws TWO_PARTY_LENGTH, TWO_PARTY_TOO_LARGE */
export function decodeOpened(payload: Uint8Array): SliceOpened {
  checkLength(payload, openedBytes);
  return { firstLayer: viewOf(payload).getUint32(0, true), ticket: payload.slice(4) };
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** @throws TWO_PARTY_LENGTH, TWO_PARTY_TOO_LARGE */
export function checkLength(payload: Uint8Array, expected: number): void {
  if (payload.length !== expected)
    throw new DenoiseError(payload.length < expected ? 'TWO_PARTY_LENGTH' : 'TWO_PARTY_TOO_LARGE', {
      bytes: payload.length,
      expected,
    });
}
