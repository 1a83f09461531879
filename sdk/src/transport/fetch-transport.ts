import type { z } from 'zod';
import { DenoiseError } from '../errors/index.ts';
import {
  errorBodySchema,
  frameContentType,
  limits,
  modelDetailSchema,
  modelListSchema,
} from '../protocol/index.ts';
import { privateTicketSchema, privateTicketsPath } from '../private-session/index.ts';
import { openPrivateChannel, type OpenSocket } from './private-channel.ts';
import type { LayerRequest, Transport } from './transport.ts';

/** How a host is reached. */
export interface FetchTransportOptions {
  /** Address of the model host. */
  readonly serverUrl: string;
  /** Replaces the global fetch. */
  readonly fetch?: typeof fetch;
  /** Replaces the global WebSocket, for private mode: where `fetch` has ways of its own, a session needs the same. */
  readonly openSocket?: OpenSocket;
  /** Sent as a bearer token. */
  readonly apiKey?: string;
  /** Longest wait for one answer, body included, milliseconds. */
  readonly timeoutMs: number;
}

/** Largest JSON answer that is read, bytes: a plan, a card and room. */
const jsonBytes = 2 * limits.planBytes;

/** Talks HTTP to a model host. @throws HOST_UNREACHABLE, HOST_TIMEOUT, HOST_RESPONSE, CANCELLED or the host's code */
export function fetchTransport(options: FetchTransportOptions): Transport {
  const base = options.serverUrl.replace(/\/+$/, '');
  const call = options.fetch ?? fetch;

  async function request<T>(
    path: string,
    init: RequestInit,
    signal: AbortSignal | undefined,
    read: (response: Response) => Promise<T>,
  ): Promise<T> {
    const timeout = AbortSignal.timeout(options.timeoutMs);
    const headers = new Headers(init.headers);
    if (options.apiKey !== undefined) headers.set('authorization', `Bearer ${options.apiKey}`);
    try {
      const either = signal ? AbortSignal.any([signal, timeout]) : timeout;
      const response = await call(`${base}${path}`, { ...init, headers, signal: either });
      if (!response.ok) throw await refusal(response);
      return await read(response);
    } catch (error) {
      if (signal?.aborted) throw new DenoiseError('CANCELLED', {}, { cause: error });
      if (timeout.aborted)
        throw new DenoiseError('HOST_TIMEOUT', { milliseconds: options.timeoutMs }, { cause: error });
      throw DenoiseError.wrap(error, 'HOST_UNREACHABLE');
    }
  }

  const json = <T>(
    path: string,
    schema: z.ZodType<T>,
    signal: AbortSignal | undefined,
    init: RequestInit = {},
  ): Promise<T> =>
    request(
      path,
      { ...init, headers: { ...init.headers, accept: 'application/json' } },
      signal,
      async (response) => {
        const parsed = schema.safeParse(parseJson(await readAtMost(response, jsonBytes)));
        if (parsed.success) return parsed.data;
        const field = parsed.error.issues[0]?.path.join('.') ?? '';
        throw new DenoiseError('HOST_RESPONSE', { path, field });
      },
    );

  return {
    models: async (signal) => (await json('/v1/models', modelListSchema, signal)).models,
    model: (id, signal) => json(`/v1/models/${encodeURIComponent(id)}`, modelDetailSchema, signal),
    evaluate: ({ model, layer, frame, replyBytes }: LayerRequest, signal) =>
      request(
        `/v1/models/${encodeURIComponent(model)}/layers/${layer}`,
        {
          method: 'POST',
          headers: { 'content-type': frameContentType, accept: frameContentType },
          body: frame,
        },
        signal,
        async (response) => {
          const reply = await readAtMost(response, replyBytes);
          if (reply.length !== replyBytes)
            throw new DenoiseError('HOST_RESPONSE', { bytes: reply.length, expected: replyBytes });
          return reply;
        },
      ),
    privateTicket: (body, signal) =>
      json(privateTicketsPath, privateTicketSchema, signal, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    openPrivate: ({ ticket }, listener, signal) =>
      openPrivateChannel(
        {
          ...{ serverUrl: options.serverUrl, ticket, timeoutMs: options.timeoutMs },
          ...(options.openSocket ? { openSocket: options.openSocket } : {}),
        },
        listener,
        signal,
      ),
  };
}

/** Reads a body into one buffer. @throws HOST_RESPONSE if it is longer than `most` bytes */
async function readAtMost(response: Response, most: number): Promise<Uint8Array<ArrayBuffer>> {
  const announced = Number(response.headers.get('content-length') ?? 0);
  if (announced > most) throw new DenoiseError('HOST_RESPONSE', { bytes: announced, most });
  const target = new Uint8Array(announced > 0 ? announced : most);
  let length = 0;
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    if (length + part.value.length > target.length) {
      await reader?.cancel();
      throw new DenoiseError('HOST_RESPONSE', { bytes: length + part.value.length, most: target.length });
    }
    target.set(part.value, length);
    length += part.value.length;
  }
  return length === target.length ? target : target.slice(0, length);
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new DenoiseError('HOST_RESPONSE', { reason: 'not JSON' }, { cause: error });
  }
}

/** The error that the host's answer tells of. */
async function refusal(response: Response): Promise<DenoiseError> {
  const status = response.status;
  const body = errorBodySchema.safeParse(
    await readAtMost(response, jsonBytes)
      .then(parseJson)
      .catch(() => undefined),
  );
  if (!body.success) {
    // A gateway before the host refuses in its own words.
    const refused = status === 401 || status === 403;
    return new DenoiseError(refused ? 'UNAUTHENTICATED' : 'HOST_RESPONSE', { status });
  }
  const { code, details, requestId } = body.data.error;
  const retryAfter = Number(response.headers.get('retry-after'));
  const wait = retryAfter > 0 ? { retryAfterSeconds: retryAfter } : {};
  return DenoiseError.deserialise({ code, details: { ...details, ...wait, status, requestId } });
}
