import { DenoiseError } from '../errors/index.ts';
import { startWalk, type WalkProgress } from '../plan/index.ts';
import type { BeginJob } from './jobs.ts';

/** The walk of an image up to its first linear layer. @throws PLAN_INVALID, PLAN_LIMIT */
export function beginWalk({ plan, image }: BeginJob): WalkProgress {
  const step = startWalk(plan, image);
  if (step.done) throw new DenoiseError('PLAN_INVALID', { reason: 'there is no linear layer' });
  const { next, values } = step.walk;
  return { next, values };
}
