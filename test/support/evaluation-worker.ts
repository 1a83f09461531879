// Worker of evaluator pools under test: instead of a folder, a model is a behaviour.
import { workerData } from 'piscina';
import { parameterSet, type LinearNode } from '@cipherdose/sdk/protocol';
import { createEvaluationTask, type EvaluationWorkerData } from '#server/evaluator/evaluation-task.js';
import type { IntegerNetwork } from '#server/network/integer-network.js';
import { oneLayerNetwork, randomWeights } from './encrypted-layers.ts';

export const poolNode: LinearNode = {
  op: 'linear',
  name: 'layer',
  input: 'image',
  layer: 0,
  inChannels: 2,
  outChannels: 3,
  kernel: [3, 3],
  stride: [1, 1],
  padding: [1, 1, 1, 1],
  accumulatorBound: 0,
};

export const poolNetwork = (): IntegerNetwork =>
  oneLayerNetwork(poolNode, parameterSet('n4096-q60-t28'), randomWeights(poolNode, 100, 100, 1));

async function loadBehaviour(directory: string): Promise<IntegerNetwork> {
  if (directory === 'exit') process.exit(3);
  if (directory === 'throw') throw new Error('secret/path/of/the/host');
  if (directory === 'slow') await new Promise((resolve) => setTimeout(resolve, 400));
  return poolNetwork();
}

export default createEvaluationTask(
  loadBehaviour,
  (workerData ?? { weightCacheBytes: 0 }) as EvaluationWorkerData,
);
