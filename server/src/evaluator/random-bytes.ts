import { randomFillSync } from 'node:crypto';

/** Fills a view with secret, uniform bytes. Tests inject a seeded one; nothing else may. */
export type RandomBytes = (target: Uint8Array) => void;

/** The system's generator. */
export const systemRandomBytes: RandomBytes = (target) => {
  randomFillSync(target);
};
