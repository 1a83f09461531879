import type { DenoisePhase, DenoiseProgress } from '@cipherdose/sdk';
import { byId } from './elements.ts';

/** Shows how far a run is. */
export interface ProgressView {
  start(): void;
  show(progress: DenoiseProgress): void;
  stop(): void;
}

const phases: Readonly<Record<DenoisePhase, string>> = {
  prepare: 'Preparing',
  encrypt: 'Encrypting on this computer',
  evaluate: 'The host computes on hidden values',
  decrypt: 'Decrypting on this computer',
  done: 'Done',
};

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** The progress bar and the facts below it; drawn at most once a frame, and said aloud at every quarter. */
export function createProgressView(): ProgressView {
  const panel = byId('progress', HTMLElement);
  const bar = byId('progress-bar', HTMLProgressElement);
  const announcement = byId('announcement', HTMLElement);
  const fact = (name: string): HTMLElement => byId(`progress-${name}`, HTMLElement);
  const facts = ['phase', 'layer', 'tiles', 'up', 'down', 'left'].map(fact);
  let latest: DenoiseProgress | undefined;
  let quarter = 0;

  function draw(): void {
    const progress = latest;
    latest = undefined;
    if (!progress || panel.hidden) return;
    const { layer, layers, tiles, tilesDone, bytesUp, bytesDown, secondsLeft, slices, slicesDone } = progress;
    const done = tiles === 0 ? 0 : tilesDone / tiles;
    bar.value = done;
    const texts = [
      phases[progress.phase] + (slices > 1 ? `, slice ${Math.min(slicesDone + 1, slices)} of ${slices}` : ''),
      `${layer + 1} of ${layers}`,
      `${tilesDone} of ${tiles}`,
      megabytes(bytesUp),
      megabytes(bytesDown),
      secondsLeft === undefined ? '…' : `${secondsLeft.toFixed(secondsLeft < 10 ? 1 : 0)} s`,
    ];
    facts.forEach((element, i) => (element.textContent = texts[i] as string));
    const reached = Math.floor(done * 4);
    if (reached > quarter && reached < 4) announcement.textContent = `${reached * 25} percent done`;
    quarter = reached;
  }

  return {
    start() {
      quarter = 0;
      bar.value = 0;
      facts.forEach((element, i) => (element.textContent = i === 0 ? phases.prepare : '…'));
      announcement.textContent = 'Denoising has started';
      panel.hidden = false;
    },
    show(progress) {
      if (!latest) requestAnimationFrame(draw);
      latest = progress;
    },
    stop() {
      panel.hidden = true;
    },
  };
}
