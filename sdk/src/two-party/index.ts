export { ActivateClient } from './activate-client.ts';
export { ActivateHost } from './activate-host.ts';
export { activationCost, type ActivationCost } from './activation-cost.ts';
export {
  activateClear,
  checkActivation,
  roundingTerm,
  signedResult,
  type ActivationLiteral,
  type ActivationParameters,
} from './activation-parameters.ts';
export { type ClientCorrelations, type HostCorrelations } from './correlations.ts';
export { Counters, type Phase, type PhaseBytes } from './counters.ts';
export { ClientHandshake, HostHandshake, type HandshakeOptions } from './handshake.ts';
export { type Step } from './machine.ts';
export { readHeader, type MessageHeader } from './message.ts';
export { type TransferReceiver, type TransferSender } from './oblivious-transfer.ts';
export { PrepareClient } from './prepare-client.ts';
export { PrepareHost } from './prepare-host.ts';
export { drawUniform, systemRandom, type RandomSource } from './random-source.ts';
export { TwoPartySession, type Role } from './session.ts';
export { type FieldBits } from './soft-spoken.ts';
export { chunkActivations } from './transfer-plan.ts';
export { TwoPartyKernel } from './two-party-kernel.ts';
