import type { Mode } from './messages.ts';

/** What each side learns in each mode, one sentence, for whoever chooses. SECURITY.md says why, and what it rests on. */
export const modeDisclosure: Readonly<Record<Mode, string>> = {
  linear:
    'The host learns nothing about the image but its size; the client can work out the weights of the model from its answers.',
  interactive:
    'The host learns nothing about the image but its size; the client sees the result of every layer and can work out the weights of the model from one slice.',
  private:
    'The host learns nothing about the image but its size; the client learns the denoised image and nothing else about the weights, as long as both sides follow the protocol.',
};
