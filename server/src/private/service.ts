import { DenoiseError } from '@cipherdose/sdk/errors';
import type { PrivateTicket, PrivateTicketRequest } from '@cipherdose/sdk/private-session';
import type { HostedModel, ModelSource } from '../model-source.ts';
import { ActivationQuota } from './activation-quota.ts';
import { PrivateConnection, type PrivateSocket, type SessionFacts } from './connection.ts';
import type { SliceQuestion } from './host-session.ts';
import { Resumptions, type Resumable } from './resumptions.ts';
import { SessionTickets, type Clock } from './session-tickets.ts';
import { startSessionThread, type SessionThread } from './session-thread.ts';

/** Limits of private mode. */
export interface PrivateLimits {
  /** Sessions at once, of which each has a thread. */
  readonly maxSessions: number;
  /** Slices of a session that may be open at once: the one that runs, and those that are prepared. */
  readonly slices: number;
  /** Most activations of one slice. */
  readonly maxSliceActivations: number;
  readonly quota: { readonly activations: number; readonly perSeconds: number };
  readonly ticketSeconds: number;
  readonly idleSeconds: number;
  readonly resumeSeconds: number;
  /** Bytes of shares that are kept for resumption. */
  readonly maxResumeBytes: number;
  /** Bytes of one session that may wait for the host or for the client. */
  readonly maxWaitingBytes: number;
}

/** For whom, and for what, a ticket is. */
export interface SessionLeave {
  readonly caller: string;
  readonly model: HostedModel;
}

export interface PrivateServiceOptions {
  readonly models: ModelSource;
  readonly limits: PrivateLimits;
  readonly sessionEnded?: (leave: SessionLeave, facts: SessionFacts, cause: string | undefined) => void;
  readonly startThread?: () => SessionThread;
  readonly now?: Clock;
}

/** Tickets, sessions and what is kept between them: private mode of one host, without HTTP. */
export class PrivateService {
  readonly #options: PrivateServiceOptions;
  readonly #tickets: SessionTickets<SessionLeave>;
  readonly #quota: ActivationQuota;
  readonly #resumptions: Resumptions;
  readonly #startThread: () => SessionThread;
  readonly #connections = new Set<PrivateConnection>();
  readonly #sweep: NodeJS.Timeout;
  /** Started when a ticket is given, so that it is there when the client comes. */
  #spare: SessionThread | undefined;
  #closing: (() => void) | undefined;

  constructor(options: PrivateServiceOptions) {
    const { limits, now = () => performance.now() } = options;
    this.#options = options;
    this.#tickets = new SessionTickets({ seconds: limits.ticketSeconds, most: 1024, mostOfCaller: 64, now });
    this.#quota = new ActivationQuota(limits.quota, now);
    this.#resumptions = new Resumptions({
      seconds: limits.resumeSeconds,
      mostBytes: limits.maxResumeBytes,
      now,
    });
    this.#startThread = options.startThread ?? (() => startSessionThread());
    this.#sweep = setInterval(() => this.#resumptions.forgetExpired(), 5000).unref();
  }

  /** Sessions that run. */
  get sessions(): number {
    return this.#connections.size;
  }

  /** Bytes of shares that are kept for resumption. */
  get resumeBytes(): number {
    return this.#resumptions.bytes;
  }

  /** @throws MODEL_UNKNOWN, FRAME_DIGEST, MODE_UNSUPPORTED, HOST_BUSY */
  giveTicket(caller: string, { model: id, digest }: PrivateTicketRequest): PrivateTicket {
    const { models, limits } = this.#options;
    const model = models.byDigest(id, digest);
    if (!model.modes.includes('private'))
      throw new DenoiseError('MODE_UNSUPPORTED', { id, mode: 'private', offered: model.modes.join(' ') });
    this.#checkRoom();
    const ticket = this.#tickets.give({ caller, model });
    this.#spare ??= this.#startThread();
    const { slices, ticketSeconds, idleSeconds } = limits;
    return { ticket, expiresInSeconds: ticketSeconds, slices, idleSeconds };
  }

  /**
   * Opens a session.
   * @returns what takes the socket's messages
   * @throws TICKET_INVALID, HOST_BUSY, HOST_CLOSING
   */
  connect(socket: PrivateSocket, ticket: string | undefined): PrivateConnection {
    const leave = this.#tickets.use(ticket);
    this.#checkRoom();
    const { limits, sessionEnded } = this.#options;
    const thread = this.#spare ?? this.#startThread();
    this.#spare = undefined;
    const connection = new PrivateConnection({
      socket,
      thread,
      modelDirectory: leave.model.directory,
      digest: leave.model.digest,
      slices: limits.slices,
      idleMs: 1000 * limits.idleSeconds,
      mostWaitingBytes: limits.maxWaitingBytes,
      openSlice: (question, superseded) => this.#openSlice(leave, question, superseded),
      ended: (facts, cause) => {
        this.#connections.delete(connection);
        sessionEnded?.(leave, facts, cause);
        if (this.#connections.size === 0) this.#closing?.();
      },
    });
    this.#connections.add(connection);
    return connection;
  }

  /** Refuses new sessions and slices, waits for the slices that run, then forgets everything. */
  async close(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#closing = resolve;
      timer = setTimeout(resolve, timeoutMs).unref();
      for (const connection of [...this.#connections]) connection.finishUp();
      if (this.#connections.size === 0) resolve();
    });
    clearTimeout(timer);
    for (const connection of [...this.#connections]) connection.fail(new DenoiseError('HOST_CLOSING'));
    clearInterval(this.#sweep);
    this.#resumptions.clear();
    await this.#spare?.stop();
  }

  #checkRoom(): void {
    if (this.#closing) throw new DenoiseError('HOST_CLOSING');
    const { maxSessions } = this.#options.limits;
    if (this.#connections.size >= maxSessions)
      throw new DenoiseError('HOST_BUSY', { sessions: maxSessions, retryAfterSeconds: 5 });
  }

  #openSlice({ caller, model }: SessionLeave, question: SliceQuestion, superseded: () => void): Resumable {
    const { height, width, resume, activations } = question;
    const most = this.#options.limits.maxSliceActivations;
    const all = activations.reduce((sum, count) => sum + count, 0);
    if (all > most) throw new DenoiseError('SLICE_TOO_LARGE', { activations: all, most });
    this.#quota.charge(caller, all);
    return this.#resumptions.begin({ caller, digest: model.digest, height, width }, resume, superseded);
  }
}
