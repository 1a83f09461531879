import { fetch, type Agent } from 'undici';
import type { z } from 'zod';
import { DenoiseError } from '@cipherdose/sdk/errors';
import type { OrthancConfig } from '../config/config-schema.ts';
import { failureSchema } from './answers.ts';

export interface OrthancRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly body?: string | Uint8Array;
  readonly contentType?: string;
  /** Statuses other than 2xx that are an answer and no failure. */
  readonly fine?: readonly number[];
  /** Media type that is wanted. */
  readonly accept?: string;
  readonly signal?: AbortSignal | undefined;
}

interface Answer {
  readonly status: number;
  readonly bytes: Uint8Array;
}

/** Orthanc's own status codes (`OrthancStatus`), from its ErrorCode enumeration. */
const fullDisk = 14;
const storageFull = 2020;

type PeerConfig = Pick<OrthancConfig, 'name' | 'url' | 'username' | 'password' | 'timeoutSeconds'>;

/** Requests to one Orthanc (or DICOMweb server); every failure is a DenoiseError. Addresses hold Orthanc ids only, no patient data. */
export class OrthancHttp {
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #agent: Agent;
  readonly #timeoutMs: number;
  readonly #name: string;

  constructor({ name, url, username, password, timeoutSeconds }: PeerConfig, agent: Agent) {
    this.#name = name;
    this.#base = url.replace(/\/$/, '');
    this.#agent = agent;
    this.#timeoutMs = timeoutSeconds * 1000;
    // Orthanc 1.10 ends the connection too early after a body that it compressed.
    const plain = { 'accept-encoding': 'identity' };
    const basic = Buffer.from(`${username ?? ''}:${password ?? ''}`).toString('base64');
    this.#headers = username === undefined ? plain : { ...plain, authorization: `Basic ${basic}` };
  }

  /** @throws ORTHANC_RESPONSE if the answer does not have the form of `schema`, and see {@link send}. */
  async json<T extends z.ZodType>(
    path: string,
    schema: T,
    request: OrthancRequest = {},
  ): Promise<z.infer<T>> {
    const { bytes } = await this.send(path, request);
    try {
      return schema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
    } catch {
      throw new DenoiseError('ORTHANC_RESPONSE', { orthanc: this.#name, reason: 'not the expected answer' });
    }
  }

  /**
   * @throws ORTHANC_UNREACHABLE, ORTHANC_REFUSED, ORTHANC_STORAGE_FULL, ORTHANC_REJECTED (400), SERIES_GONE (404),
   * ORTHANC_RESPONSE
   */
  async send(path: string, request: OrthancRequest = {}): Promise<Answer> {
    const { method = 'GET', body, contentType, accept, fine = [], signal } = request;
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    let answer: Answer;
    try {
      const response = await fetch(this.#base + path, {
        method,
        headers: {
          ...this.#headers,
          ...(contentType === undefined ? {} : { 'content-type': contentType }),
          ...(accept === undefined ? {} : { accept }),
        },
        ...(body === undefined ? {} : { body }),
        redirect: 'error',
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
        dispatcher: this.#agent,
      });
      answer = { status: response.status, bytes: new Uint8Array(await response.arrayBuffer()) };
    } catch (cause) {
      if (signal?.aborted) throw new DenoiseError('CANCELLED', {}, { cause });
      throw new DenoiseError(
        'ORTHANC_UNREACHABLE',
        { orthanc: this.#name, reason: reasonOf(cause) },
        { cause },
      );
    }
    if ((answer.status >= 200 && answer.status < 300) || fine.includes(answer.status)) return answer;
    throw this.#failure(answer);
  }

  #failure({ status, bytes }: Answer): DenoiseError {
    const details = { orthanc: this.#name, status, orthancStatus: orthancStatus(bytes) };
    if (status === 401 || status === 403) return new DenoiseError('ORTHANC_REFUSED', details);
    if (status === 404) return new DenoiseError('SERIES_GONE', details);
    if (status === 507 || details.orthancStatus === fullDisk || details.orthancStatus === storageFull)
      return new DenoiseError('ORTHANC_STORAGE_FULL', details);
    if (status === 400) return new DenoiseError('ORTHANC_REJECTED', details);
    return new DenoiseError('ORTHANC_RESPONSE', details);
  }
}

function orthancStatus(bytes: Uint8Array): number | undefined {
  try {
    return failureSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8'))).OrthancStatus;
  } catch {
    return undefined;
  }
}

function reasonOf(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  if (!(inner instanceof Error)) return 'unknown';
  return (inner as NodeJS.ErrnoException).code ?? inner.name;
}
