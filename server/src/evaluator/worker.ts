// Worker thread of the evaluator pool.
import { workerData } from 'piscina';
import { loadModel } from '../registry/load-model.ts';
import { createEvaluationTask, type EvaluationWorkerData } from './evaluation-task.ts';

export default createEvaluationTask(loadModel, workerData as EvaluationWorkerData);
