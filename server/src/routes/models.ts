import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  modelDetailSchema,
  modelId,
  modelListSchema,
  type ModelDetail,
  type ModelSummary,
} from '@cipherdose/sdk/protocol';
import type { HostedModel, ModelSource } from '../model-source.ts';
import { failures } from './replies.ts';

export const modelRoutes: FastifyPluginAsyncZod<{ models: ModelSource }> = async (app, { models }) => {
  app.get(
    '/v1/models',
    {
      schema: {
        operationId: 'listModels',
        summary: 'The newest version of every model',
        response: { 200: modelListSchema.describe('Models, and what one 512x512 slice costs'), ...failures },
      },
    },
    async () => ({ models: models.list().map(summaryOf) }),
  );

  app.get(
    '/v1/models/:id',
    {
      schema: {
        operationId: 'getModel',
        summary: 'The plan of a model: its public shape, without weights',
        params: z.object({ id: modelId }),
        response: { 200: modelDetailSchema.describe('Plan, digest, cost and model card'), ...failures },
      },
    },
    async (request) => detailOf(models.get(request.params.id)),
  );
};

const summaryOf = ({ plan, digest, modes, summary, cost }: HostedModel): ModelSummary => ({
  id: plan.id,
  version: plan.version,
  digest,
  modes: [...modes],
  summary,
  cost,
});

function detailOf(model: HostedModel): ModelDetail {
  const { digest, ...plan } = model.plan;
  return { ...summaryOf(model), digest, plan, card: { ...model.card } };
}
