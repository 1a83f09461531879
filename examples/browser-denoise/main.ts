import { config } from 'zod';
import type { HuImage } from '@cipherdose/sdk';
import type { CtSlice } from '@cipherdose/sdk/dicom';
import { downloadDerived } from './download.ts';
import { byId } from './elements.ts';
import { createHostPanel, type ModelChoice } from './host-panel.ts';
import { createImagePanel } from './image-panel.ts';
import { createNotice } from './notice.ts';
import { createProgressView, megabytes } from './progress-view.ts';
import { createViewer } from './viewer.ts';

// The page's content security policy forbids eval; without this zod would try it and be reported.
config({ jitless: true });

const denoise = byId('denoise', HTMLButtonElement);
const cancel = byId('cancel', HTMLButtonElement);
const download = byId('download', HTMLButtonElement);
const summary = byId('summary', HTMLElement);
const announcement = byId('announcement', HTMLElement);
const notice = createNotice();
const progress = createProgressView();
const viewer = createViewer();

/** What a finished or running run makes, by index of the slice. */
interface Run {
  readonly choice: ModelChoice;
  readonly slices: readonly CtSlice[];
  readonly started: Date;
  readonly denoised: Map<number, HuImage>;
}

let slices: readonly CtSlice[] = [];
let choice: ModelChoice | undefined;
let run: Run | undefined;
let running: AbortController | undefined;

function update(): void {
  denoise.disabled = running !== undefined || !choice || slices.length === 0;
  denoise.textContent = slices.length > 1 ? `Denoise ${slices.length} slices` : 'Denoise';
  cancel.hidden = !running;
  const made = run?.denoised.size ?? 0;
  download.hidden = running !== undefined || made === 0;
  download.textContent = made > 1 ? `Download ${made} DICOM files` : 'Download DICOM';
}

function fail(error: unknown): void {
  notice.failure(error);
  announcement.textContent = '';
}

async function start(choice: ModelChoice): Promise<void> {
  const controller = new AbortController();
  const current: Run = { choice, slices, started: new Date(), denoised: new Map() };
  running = controller;
  run = current;
  notice.clear();
  summary.hidden = true;
  viewer.open(slices.map(({ image }) => ({ original: image })));
  progress.start();
  update();
  const total = { seconds: performance.now(), up: 0, down: 0, rounds: 0 };
  try {
    const results = choice.client.denoise(
      slices.map(({ image }) => image),
      {
        model: choice.model.id,
        mode: choice.mode,
        digest: choice.model.digest,
        signal: controller.signal,
        onProgress: (step) => progress.show(step),
      },
    );
    for await (const result of results) {
      if (!result.ok) {
        fail(result.error);
        continue;
      }
      current.denoised.set(result.index, result.image);
      viewer.setDenoised(result.index, result.image);
      total.up += result.statistics.bytesUp;
      total.down += result.statistics.bytesDown;
      total.rounds = result.statistics.rounds;
    }
    total.seconds = (performance.now() - total.seconds) / 1000;
    if (current.denoised.size > 0) summarise(total, current.denoised.size);
  } catch (error) {
    fail(error);
  } finally {
    running = undefined;
    progress.stop();
    update();
  }
}

function summarise(total: { seconds: number; up: number; down: number; rounds: number }, made: number): void {
  const { seconds, up, down, rounds } = total;
  const what = made === 1 ? 'Denoised' : `Denoised ${made} slices`;
  summary.textContent = `${what} in ${seconds.toFixed(1)} s: ${megabytes(up)} sent, ${megabytes(down)} received, ${rounds} ${rounds === 1 ? 'round' : 'rounds'}.`;
  summary.hidden = false;
  announcement.textContent = summary.textContent;
}

denoise.addEventListener('click', () => {
  if (choice) void start(choice);
});
cancel.addEventListener('click', () => running?.abort());
download.addEventListener('click', () => {
  if (run) downloadDerived(run).catch(fail);
});

createImagePanel({
  onSlices(opened, refused) {
    if (opened.length > 0) {
      running?.abort();
      slices = opened;
      run = undefined;
      summary.hidden = true;
      viewer.open(slices.map(({ image }) => ({ original: image })));
      announcement.textContent = `${slices.length} ${slices.length === 1 ? 'slice' : 'slices'} opened`;
    }
    notice.clear();
    notice.refused(refused);
    update();
  },
  onFailure: fail,
});

async function hostUrl(): Promise<string> {
  const response = await fetch('config.json');
  const settings: unknown = await response.json();
  return String((settings as { hostUrl?: unknown }).hostUrl ?? '');
}

createHostPanel(await hostUrl().catch(() => ''), {
  onChoice(chosen) {
    choice = chosen;
    notice.clear();
    update();
  },
  onFailure: fail,
});
