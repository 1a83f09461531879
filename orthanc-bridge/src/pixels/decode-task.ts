import type { SerialisedError } from '@cipherdose/sdk/errors';

/** What a decoding worker answers; errors cross threads in their plain form. */
export type DecodeAnswer =
  { readonly ok: true; readonly bytes: Uint8Array } | { readonly ok: false; readonly error: SerialisedError };
