import type { DenoisePhase, Mode } from '@cipherdose/sdk';
import type { SliceRange } from '../settings/user-settings.ts';

export const productTitle = 'Privacy-preserving denoise';
export const caution = 'Research use. Not for primary diagnosis.';

/** What each side learns, in one sentence each. */
export const modeTexts: Readonly<Record<Mode, { readonly name: string; readonly learns: string }>> = {
  linear: {
    name: 'Linear (one round)',
    learns:
      'The server learns nothing about the image. Whoever runs this viewer could work out the model from what goes in and comes out.',
  },
  interactive: {
    name: 'Interactive',
    learns:
      "The server learns nothing about the image. This viewer sees the values between the model's layers: one slice is enough to work out the model.",
  },
  private: {
    name: 'Private',
    learns:
      'The server learns nothing about the image, and this viewer learns only the results, which many queries could still imitate.',
  },
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
