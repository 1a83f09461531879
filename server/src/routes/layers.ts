import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { frameContentType, modelId } from '@cipherdose/sdk/protocol';
import type { HostConfig } from '../config.ts';
import { answerFrame, productsOf } from '../frames/answer-frame.ts';
import { receiveFrame } from '../frames/receive-frame.ts';
import type { FrameEvaluator, ModelSource } from '../model-source.ts';
import { failures } from './replies.ts';

export interface LayerRouteOptions {
  readonly models: ModelSource;
  readonly evaluator: FrameEvaluator;
  readonly config: HostConfig;
}

const frameSchema = z
  .any()
  .meta({ type: 'string', format: 'binary', description: 'One frame: 64 bytes of header and the body' });

export const layerRoutes: FastifyPluginAsyncZod<LayerRouteOptions> = async (
  app,
  { models, evaluator, config },
) => {
  // The body stays a stream: nothing of it is read before its header is known to be good.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(frameContentType, (_request, _body, done) => done(null));

  app.post(
    '/v1/models/:id/layers/:layer',
    {
      schema: {
        operationId: 'evaluateLayer',
        summary: 'Evaluates one linear layer on the ciphertexts of one tile group; nothing is kept',
        consumes: [frameContentType],
        params: z.object({ id: modelId, layer: z.string().regex(/^\d{1,3}$/) }),
        body: frameSchema,
        response: {
          200: { description: 'The reply frame', content: { [frameContentType]: { schema: frameSchema } } },
          ...failures,
        },
      },
    },
    async (request, reply) => {
      if (request.headers['content-type'] === undefined) throw new DenoiseError('BODY_TYPE');
      const { id } = request.params;
      const layer = Number(request.params.layer);
      const contentLength = contentLengthOf(request.headers);
      const bytes = Math.min(contentLength ?? 0, config.maxBodyBytes);
      const answer = await app.admission.run(reply.raw, bytes, async () => {
        const incoming = { id, layer, contentLength, body: request.raw };
        const received = await receiveFrame(models, incoming, config);
        const start = performance.now();
        const frame = await answerFrame(evaluator, received);
        app.metrics.countExchange({
          model: id,
          layer,
          bytesIn: received.bytesIn,
          bytesOut: frame.length,
          products: productsOf(received),
          seconds: (performance.now() - start) / 1000,
        });
        return frame;
      });
      return reply.type(frameContentType).send(Buffer.from(answer.buffer, answer.byteOffset, answer.length));
    },
  );
};

// Node has checked that it is a number, and that there are not two.
const contentLengthOf = (headers: { readonly 'content-length'?: string | undefined }): number | undefined =>
  headers['content-length'] === undefined ? undefined : Number(headers['content-length']);
