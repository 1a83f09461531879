import type { DenoiseError } from '../errors/index.ts';
import type { PrivateTicket, PrivateTicketRequest } from '../private-session/index.ts';
import type { ModelDetail, ModelSummary } from '../protocol/index.ts';

/** One tile group of one layer, on its way to the host. */
export interface LayerRequest {
  readonly model: string;
  readonly layer: number;
  /** A whole request frame. */
  readonly frame: Uint8Array<ArrayBuffer>;
  /** Length that the reply has to have; nothing longer is read. */
  readonly replyBytes: number;
}

/** What comes from the host of a session of private mode. */
export interface PrivateChannelListener {
  /** One message, in a buffer of its own. */
  message(message: Uint8Array<ArrayBuffer>): void;
  /** The session is over, and nothing more comes. Not called for {@link PrivateChannel.close}. */
  closed(reason: DenoiseError): void;
}

/** The way to one session of private mode. */
export interface PrivateChannel {
  /** Bytes that wait to be sent. */
  readonly bufferedBytes: number;
  /** Ignored where the session is over. */
  send(message: Uint8Array<ArrayBuffer>): void;
  /** Ends the session: the client is done, or gives up. */
  close(done: boolean): void;
}

/** The way to a model host. Every method throws DenoiseError only. */
export interface Transport {
  /** @returns what the host offers */
  models(signal?: AbortSignal): Promise<readonly ModelSummary[]>;
  /** @returns one model, its plan not yet checked @throws MODEL_UNKNOWN */
  model(id: string, signal?: AbortSignal): Promise<ModelDetail>;
  /** @returns the reply frame of one request frame, its length checked and nothing else */
  evaluate(request: LayerRequest, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
  /** @returns leave to open one session of private mode; a transport without sessions lacks it */
  privateTicket?(request: PrivateTicketRequest, signal?: AbortSignal): Promise<PrivateTicket>;
  /** Opens the session of a ticket. @throws HOST_UNREACHABLE, TICKET_INVALID, HOST_BUSY, CANCELLED */
  openPrivate?(
    ticket: PrivateTicket,
    listener: PrivateChannelListener,
    signal?: AbortSignal,
  ): Promise<PrivateChannel>;
}
