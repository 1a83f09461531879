import type { DenoisePhase, Mode } from '@cipherdose/sdk';
import type { SliceRange } from '../settings/user-settings.ts';

export const productTitle = 'Privacy-preserving denoise';
export const caution = 'Research use. Not for primary diagnosis.';

/** What each side learns in it: the SDK's `modeDisclosure`. */
export const modeNames: Readonly<Record<Mode, string>> = {
  linear: 'Linear (one round)',
  interactive: 'Interactive',
  private: 'Private (two parties)',
};

export const rangeTexts: Readonly<Record<SliceRange, string>> = {
  slice: 'This slice',
  nearby: 'Slices nearby (5 before and after)',
  series: 'Whole series',
};

/** `offline`: waiting for the server, the archive or the network. */
export type RunPhase = DenoisePhase | 'offline';

export const phaseTexts: Readonly<Record<RunPhase, string>> = {
  prepare: 'Reading images',
  encrypt: 'Encrypting on this computer',
  evaluate: 'The server computes on encrypted data',
  decrypt: 'Decrypting on this computer',
  done: 'Slice done',
  offline: 'Waiting for the connection',
};

export function bytes(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toFixed(1)}\u00a0GB`;
  return `${(count / 1e6).toFixed(1)}\u00a0MB`;
}

export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))}\u00a0s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes}\u00a0min` : `${(minutes / 60).toFixed(1)}\u00a0h`;
}

export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;
