export { closeDone, closeReasonOf, errorOfClose, type CloseReason } from './close-reason.ts';
export {
  correctionsInFlight,
  framesInFlight,
  largestPrivateMessageBytes,
  privateHeaderBytes,
  privateKind,
  PrivateReader,
  PrivateWriter,
  type PrivateAddress,
  type PrivateKind,
  type PrivateMessage,
} from './message.ts';
export { packValues, unpackValues } from './packed-values.ts';
export { privateCost, type PrivateCost } from './private-cost.ts';
export { sliceLayout, type Piece, type SliceLayer, type SliceLayout } from './slice-layout.ts';
export {
  checkLength,
  decodeOpen,
  decodeOpened,
  encodeOpen,
  encodeOpened,
  resumptionTicketBytes,
  type SliceOpened,
  type SliceOpening,
} from './slice-opening.ts';
export {
  privateProtocol,
  privateSessionPath,
  privateTicketRequestSchema,
  privateTicketSchema,
  privateTicketsPath,
  ticketOf,
  ticketProtocols,
  type PrivateTicket,
  type PrivateTicketRequest,
} from './tickets.ts';
