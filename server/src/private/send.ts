import type { PrivateAddress } from '@cipherdose/sdk/private-session';

/** Sends a message of the session; its payload is copied at once. */
export type Send = (address: PrivateAddress, payload: Uint8Array) => void;
