import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { DenoiseError, type ErrorCode, type ErrorDetails } from '@cipherdose/sdk/errors';
import type { ErrorBody } from '@cipherdose/sdk/protocol';

declare module 'fastify' {
  interface FastifyRequest {
    /** Code of the error that this request was answered with. */
    failure: ErrorCode | undefined;
  }
}

/** Answers every failure with `{ error: { code, message, details, requestId } }` and the status of the error table. */
export const errors = fp(
  (app: FastifyInstance) => {
    app.decorateRequest('failure', undefined);
    app.setErrorHandler((error, request, reply) => answerWithError(error, request, reply));
  },
  { name: 'errors' },
);

/** Also for what fails before a route is found. */
export function answerWithError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = toDenoiseError(thrown);
  if (error.code === 'INTERNAL') request.log.error({ err: thrown }, 'request failed');
  request.failure = error.code;
  if (error.code === 'UNAUTHENTICATED') reply.header('www-authenticate', 'Bearer');
  if (error.status === 503) reply.header('retry-after', error.details['retryAfterSeconds'] ?? 1);
  const { code, message, details } = error.serialise();
  const body: ErrorBody = { error: { code, message, details: { ...details }, requestId: request.id } };
  // Past the response schemas of the route: no error shall be cut or refused by them.
  return reply
    .code(error.status)
    .header('x-request-id', request.id)
    .header('content-type', 'application/json; charset=utf-8')
    .serializer((payload: unknown) => JSON.stringify(payload))
    .send(body);
}

interface ForeignError {
  readonly code?: unknown;
  readonly statusCode?: unknown;
  readonly validation?: readonly { readonly instancePath?: string; readonly message?: string }[];
  readonly validationContext?: string;
}

const foreignCodes: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'BODY_TYPE',
};

/** What the caller may know of an error. Errors that are not for the wire become INTERNAL, without their details. */
export function toDenoiseError(thrown: unknown): DenoiseError {
  if (thrown instanceof DenoiseError)
    return thrown.status === 0 ? new DenoiseError('INTERNAL') : hideDetails(thrown);
  const { code, statusCode, validation, validationContext } = Object(thrown) as ForeignError;
  const known = typeof code === 'string' ? foreignCodes[code] : undefined;
  if (known) return new DenoiseError(known);
  if (validation)
    return new DenoiseError('REQUEST_INVALID', validationDetails(validation[0], validationContext));
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500)
    return new DenoiseError('REQUEST_INVALID');
  return new DenoiseError('INTERNAL');
}

const hideDetails = (error: DenoiseError): DenoiseError =>
  error.code === 'INTERNAL' ? new DenoiseError('INTERNAL') : error;

const validationDetails = (
  issue: { readonly instancePath?: string; readonly message?: string } | undefined,
  part = 'request',
): ErrorDetails => ({ part, path: issue?.instancePath ?? '', reason: issue?.message ?? '' });
