import { DenoiseError } from '../errors/index.ts';
import { limits } from './limits.ts';

/**
 * Header of a frame, 64 bytes, little endian:
 * magic "CDOS", version u8, kind u8, parameter set u16, plan digest 32 bytes, layer u16, channels u16,
 * map height u32, map width u32, first tile u32, tiles u16, reserved u16, body length u32.
 * Request body: for each tile, for each input channel, c0 residues of every prime bit-packed, then the seed.
 * Reply body: for each tile, for each output channel, c0 at the outputs, then all of c1, both rounded and bit-packed.
 */
export interface FrameHeader {
  readonly kind: 'request' | 'reply';
  readonly parameterSetId: number;
  /** Plan digest, 64 hexadecimal digits. */
  readonly digest: string;
  readonly layer: number;
  /** Ciphertexts of a tile: input channels in a request, output channels in a reply. */
  readonly channels: number;
  /** Size of the layer's input map. */
  readonly mapHeight: number;
  readonly mapWidth: number;
  readonly firstTile: number;
  readonly tiles: number;
  /** Bytes that follow the header. */
  readonly bodyBytes: number;
}

/** Length of the header of a frame, bytes. */
export const frameHeaderBytes = 64;
/** Version of frames and addresses; a frame of another version is refused. */
export const protocolVersion = 1;
const magic = 0x534f4443; // "CDOS"
const kinds = ['request', 'reply'] as const;

/** Writes the 64 bytes of a header to the start of `target`. */
export function encodeFrameHeader(header: FrameHeader, target: Uint8Array): void {
  const view = new DataView(target.buffer, target.byteOffset, frameHeaderBytes);
  view.setUint32(0, magic, true);
  view.setUint8(4, protocolVersion);
  view.setUint8(5, kinds.indexOf(header.kind));
  view.setUint16(6, header.parameterSetId, true);
  for (let i = 0; i < 32; i++)
    view.setUint8(8 + i, Number.parseInt(header.digest.slice(2 * i, 2 * i + 2), 16));
  view.setUint16(40, header.layer, true);
  view.setUint16(42, header.channels, true);
  view.setUint32(44, header.mapHeight, true);
  view.setUint32(48, header.mapWidth, true);
  view.setUint32(52, header.firstTile, true);
  view.setUint16(56, header.tiles, true);
  view.setUint16(58, 0, true);
  view.setUint32(60, header.bodyBytes, true);
}

/**
 * Reads and checks a header alone: magic, version, kind, sane sizes. What depends on the model is checked by
 * {@link checkFrame}.
 * @throws FRAME_LENGTH, FRAME_MAGIC, FRAME_VERSION, FRAME_KIND, FRAME_GEOMETRY
 */
export function decodeFrameHeader(bytes: Uint8Array, kind: FrameHeader['kind']): FrameHeader {
  if (bytes.length < frameHeaderBytes)
    throw new DenoiseError('FRAME_LENGTH', { bytes: bytes.length, expected: frameHeaderBytes });
  const view = new DataView(bytes.buffer, bytes.byteOffset, frameHeaderBytes);
  if (view.getUint32(0, true) !== magic) throw new DenoiseError('FRAME_MAGIC');
  const version = view.getUint8(4);
  if (version !== protocolVersion)
    throw new DenoiseError('FRAME_VERSION', { version, expected: protocolVersion });
  if (kinds[view.getUint8(5)] !== kind) throw new DenoiseError('FRAME_KIND', { expected: kind });
  const header: FrameHeader = {
    kind,
    parameterSetId: view.getUint16(6, true),
    digest: Array.from(bytes.subarray(8, 40), (byte) => byte.toString(16).padStart(2, '0')).join(''),
    layer: view.getUint16(40, true),
    channels: view.getUint16(42, true),
    mapHeight: view.getUint32(44, true),
    mapWidth: view.getUint32(48, true),
    firstTile: view.getUint32(52, true),
    tiles: view.getUint16(56, true),
    bodyBytes: view.getUint32(60, true),
  };
  const sane =
    view.getUint16(58, true) === 0 &&
    header.mapHeight >= 1 &&
    header.mapWidth >= 1 &&
    header.mapHeight <= limits.imageSide &&
    header.mapWidth <= limits.imageSide &&
    header.tiles >= 1 &&
    header.tiles <= limits.tilesPerRequest &&
    header.channels >= 1 &&
    header.channels <= limits.channels;
  if (!sane) {
    const { mapHeight, mapWidth, tiles, channels } = header;
    throw new DenoiseError('FRAME_GEOMETRY', { mapHeight, mapWidth, tiles, channels });
  }
  return header;
}

/** What a frame must say, from the plan and, for a reply, from the request. */
export type FrameExpectation = Omit<FrameHeader, 'kind'>;

/**
 * Compares a decoded header with what is expected, and the length of the whole frame with what the header says.
 * @throws FRAME_PARAMETERS, FRAME_DIGEST, FRAME_LAYER, FRAME_GEOMETRY, FRAME_LENGTH
 */
export function checkFrame(header: FrameHeader, expected: FrameExpectation, frameBytes: number): void {
  if (header.parameterSetId !== expected.parameterSetId)
    throw new DenoiseError('FRAME_PARAMETERS', {
      got: header.parameterSetId,
      expected: expected.parameterSetId,
    });
  if (header.digest !== expected.digest)
    throw new DenoiseError('FRAME_DIGEST', { got: header.digest, expected: expected.digest });
  if (header.layer !== expected.layer)
    throw new DenoiseError('FRAME_LAYER', { got: header.layer, expected: expected.layer });
  for (const field of ['channels', 'mapHeight', 'mapWidth', 'firstTile', 'tiles'] as const)
    if (header[field] !== expected[field])
      throw new DenoiseError('FRAME_GEOMETRY', { field, got: header[field], expected: expected[field] });
  if (header.bodyBytes !== expected.bodyBytes || frameBytes !== frameHeaderBytes + expected.bodyBytes)
    throw new DenoiseError('FRAME_LENGTH', {
      bytes: frameBytes,
      expected: frameHeaderBytes + expected.bodyBytes,
    });
}
