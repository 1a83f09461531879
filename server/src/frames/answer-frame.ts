import { DenoiseError } from '@cipherdose/sdk/errors';
import { frameBytes } from '@cipherdose/sdk/packing';
import type { FrameEvaluator } from '../model-source.ts';
import type { ReceivedFrame } from './receive-frame.ts';

/**
 * Evaluates a received frame.
 * @returns the whole reply frame, of the length that both sides know
 * @throws FRAME_RESIDUE, HOST_BUSY, and INTERNAL if the evaluator breaks its contract
 */
export async function answerFrame(evaluator: FrameEvaluator, received: ReceivedFrame): Promise<Uint8Array> {
  const { model, node, exchange, bytes } = received;
  const reply = await evaluator.evaluate({
    modelDirectory: model.directory,
    digest: model.digest,
    layer: node.layer,
    frame: bytes,
  });
  const expected = frameBytes(exchange.reply);
  if (reply.length !== expected) throw new DenoiseError('INTERNAL', { bytes: reply.length, expected });
  return reply;
}

/** Ciphertext x plaintext products that a received frame takes. */
export const productsOf = ({ node, exchange }: ReceivedFrame): number =>
  exchange.request.tiles * node.inChannels * node.outChannels;
