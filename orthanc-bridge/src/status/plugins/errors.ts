import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { DenoiseError, type ErrorCode } from '@cipherdose/sdk/errors';
import { errorFacts, type Log } from '../../log.ts';

/** Statuses of failures that the error table has no status for, since the model host never answers with them. */
const statuses: Partial<Record<ErrorCode, number>> = {
  JOB_UNKNOWN: 404,
  SERIES_GONE: 404,
  CONFIG_INVALID: 422,
  ORTHANC_UNREACHABLE: 502,
  ORTHANC_REFUSED: 502,
  ORTHANC_RESPONSE: 502,
  QUEUE_UNAVAILABLE: 503,
  CANCELLED: 503,
};

/** Answers every failure with `{ error: { code, message } }`; what is not a failure of ours says nothing more. */
export const errors = fp(
  (app: FastifyInstance, { log }: { readonly log: Log }) => {
    app.setErrorHandler((thrown, request, reply) => {
      const error = known(thrown);
      const status = statuses[error.code] ?? (error.status || 422);
      if (error.code === 'INTERNAL')
        log.error({ route: request.routeOptions.url, ...errorFacts(thrown) }, 'page request failed');
      const { code, message } = error.serialise();
      return reply
        .code(status)
        .type('application/json; charset=utf-8')
        .serializer((body: unknown) => JSON.stringify(body))
        .send({ error: { code, message } });
    });
    app.setNotFoundHandler(() => {
      throw new DenoiseError('ROUTE_UNKNOWN');
    });
  },
  { name: 'errors' },
);

function known(thrown: unknown): DenoiseError {
  if (thrown instanceof DenoiseError) return thrown;
  const { statusCode, validation } = Object(thrown) as { statusCode?: unknown; validation?: unknown };
  const refused = typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500;
  return new DenoiseError(refused || validation !== undefined ? 'REQUEST_INVALID' : 'INTERNAL');
}
