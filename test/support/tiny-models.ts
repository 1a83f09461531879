import { checkPlan } from '@cipherdose/sdk/plan';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { estimateCost, frameBytes, layerExchange, planTiling } from '@cipherdose/sdk/packing';
import {
  encodeFrameHeader,
  frameHeaderBytes,
  parameterSet,
  type FrameHeader,
} from '@cipherdose/sdk/protocol';
import type { FrameEvaluator, HostedModel, ModelSource } from '#server/model-source.js';

/** Plan of one 3x3 convolution, one channel in and out. */
export const tinyPlan = checkPlan({
  format: 'cipherdose-plan/1',
  id: 'tiny',
  version: '1.0.0',
  framework: 'linear',
  parameterSet: 'n4096-q60-t28',
  input: { lowHu: -1024, highHu: 3071 },
  nodes: [
    {
      op: 'linear',
      name: 'convolution',
      input: 'image',
      layer: 0,
      inChannels: 1,
      outChannels: 1,
      kernel: [3, 3],
      stride: [1, 1],
      padding: [1, 1, 1, 1],
      accumulatorBound: 1_000_000,
    },
    {
      op: 'requantise',
      name: 'result',
      input: 'convolution',
      positive: [1],
      negative: [1],
      shift: 4,
      low: -1024,
      high: 3071,
    },
  ],
  output: 'result',
  weightsDigest: '0'.repeat(64),
});

export const tinyModel: HostedModel = {
  plan: tinyPlan,
  digest: tinyPlan.digest,
  modes: ['linear'],
  summary: 'One convolution, for tests',
  card: { data: 'none' },
  directory: 'nowhere',
  cost: estimateCost(tinyPlan, 512, 512),
};

/** One installed model, or none. */
export function stubModels(models: readonly HostedModel[] = [tinyModel]): ModelSource {
  const get = (id: string): HostedModel => {
    const model = models.find(({ plan }) => plan.id === id);
    if (!model) throw new DenoiseError('MODEL_UNKNOWN', { id });
    return model;
  };
  const byDigest = (id: string, digest: string): HostedModel => {
    const model = get(id);
    if (model.digest !== digest)
      throw new DenoiseError('FRAME_DIGEST', { got: digest, expected: model.digest });
    return model;
  };
  return { list: () => models, get, byDigest };
}

/** Header and length of both frames for tiles of an image. */
export function tinyExchange(height = 64, width = 64, group = { firstTile: 0, tiles: 1 }) {
  const node = tinyPlan.nodes[0];
  if (node?.op !== 'linear') throw new Error('the tiny plan starts with its linear layer');
  const set = parameterSet(tinyPlan.parameterSet);
  const tiling = planTiling(node, height, width, set);
  return { tiling, ...layerExchange(tinyPlan.digest, node, set, { height, width }, tiling, group) };
}

/** A request frame whose residues are all 0. */
export function requestFrame(
  changes: Partial<FrameHeader> = {},
  height = 64,
  width = 64,
): Uint8Array<ArrayBuffer> {
  const { request } = tinyExchange(height, width);
  const frame = new Uint8Array(frameBytes(request));
  encodeFrameHeader({ kind: 'request', ...request, ...changes }, frame);
  return frame;
}

/** Answers with zeros of the right length, after `waitMs`. */
export function stubEvaluator(waitMs = 0): FrameEvaluator & { readonly frames: number[] } {
  const frames: number[] = [];
  return {
    frames,
    pending: 0,
    async evaluate({ frame }) {
      frames.push(frame.length);
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      const view = new DataView(frame.buffer);
      const { reply } = tinyExchange(view.getUint32(44, true), view.getUint32(48, true), {
        firstTile: view.getUint32(52, true),
        tiles: view.getUint16(56, true),
      });
      const answer = new Uint8Array(frameHeaderBytes + reply.bodyBytes);
      encodeFrameHeader({ kind: 'reply', ...reply }, answer);
      return answer;
    },
  };
}
