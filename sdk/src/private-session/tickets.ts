import { z } from 'zod';
import { modelId, sha256Hex } from '../protocol/index.ts';

/** Address of the tickets, and of the sessions. */
export const privateTicketsPath = '/v1/private/tickets';
export const privateSessionPath = '/v1/private';

/** Subprotocol of the WebSocket: the one that the host chooses. */
export const privateProtocol = 'cipherdose.private.1';
const ticketPrefix = 'cipherdose.ticket.';

/** 32 random bytes in base64url. */
const ticketText = z.string().regex(/^[\w-]{43}$/);

/** Checks the body of `POST /v1/private/tickets`. The digest is the version that the client wants to run. */
export const privateTicketRequestSchema = z.strictObject({ model: modelId, digest: sha256Hex });
/** Asks for one session. */
export type PrivateTicketRequest = z.infer<typeof privateTicketRequestSchema>;

/** Checks a {@link PrivateTicket}. */
export const privateTicketSchema = z.strictObject({
  /** Good for one WebSocket, at the host that gave it. */
  ticket: ticketText,
  expiresInSeconds: z.number().positive(),
  /** Slices of a session that may be open at once: the one that runs, and those that are prepared. */
  slices: z.int().min(1),
  /** The host closes a session that says nothing for longer. */
  idleSeconds: z.number().positive(),
});
/** What the host answers: leave to open one session. */
export type PrivateTicket = z.infer<typeof privateTicketSchema>;

/** Subprotocols to open the WebSocket with: browsers cannot set any other header. */
export const ticketProtocols = (ticket: string): string[] => [privateProtocol, ticketPrefix + ticket];

/** @returns the ticket among the subprotocols that a client offers; undefined if there is none, or not this protocol */
export function ticketOf(protocols: Iterable<string>): string | undefined {
  const offered = [...protocols];
  if (!offered.includes(privateProtocol)) return undefined;
  const ticket = offered.find((name) => name.startsWith(ticketPrefix))?.slice(ticketPrefix.length);
  return ticketText.safeParse(ticket).data;
}
