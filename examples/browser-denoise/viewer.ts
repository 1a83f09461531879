import type { HuImage } from '@cipherdose/sdk';
import { createCompareControls } from './compare-controls.ts';
import { byId } from './elements.ts';
import { paintDifference, paintSlice, type GreyWindow } from './grey-window.ts';
import { createWindowControls } from './window-controls.ts';

/** One slice, before and, once there is a result, after. */
export interface ViewedSlice {
  readonly original: HuImage;
  readonly denoised?: HuImage | undefined;
}

export interface Viewer {
  /** Shows other slices, the first one in front. */
  open(slices: readonly ViewedSlice[]): void;
  /** Puts the result of one slice beside it. */
  setDenoised(index: number, denoised: HuImage | undefined): void;
}

/** The viewer: original, denoised and difference of one slice of a stack. */
export function createViewer(): Viewer {
  const root = byId('viewer', HTMLElement);
  const stage = byId('stage', HTMLElement);
  const original = byId('original', HTMLCanvasElement);
  const result = byId('result', HTMLCanvasElement);
  const difference = byId('difference', HTMLCanvasElement);
  const sliceControl = byId('slice-control', HTMLElement);
  const sliceInput = byId('slice', HTMLInputElement);
  const sliceNumber = byId('slice-number', HTMLOutputElement);
  const readout = byId('readout', HTMLOutputElement);
  let slices: ViewedSlice[] = [];
  let index = 0;

  const window = createWindowControls(stage, (greyWindow) => paint(greyWindow));
  const compare = createCompareControls(root, stage);

  function paint(greyWindow: GreyWindow): void {
    const slice = slices[index];
    if (!slice) return;
    paintSlice(original, slice.original, greyWindow);
    if (slice.denoised) paintSlice(result, slice.denoised, greyWindow);
  }

  async function show(): Promise<void> {
    const slice = slices[index];
    if (!slice) return;
    const { denoised } = slice;
    paint(window.current());
    if (denoised) paintDifference(difference, slice.original, denoised);
    root.dataset['state'] = denoised ? 'denoised' : 'loaded';
    const made = denoised ? '' : ', not made yet';
    result.setAttribute('aria-label', `Denoised slice${made}`);
    difference.setAttribute('aria-label', `Difference${made}`);
    delete result.dataset['resultSha256'];
    compare.enable(denoised !== undefined);
    sliceNumber.textContent = `${index + 1} of ${slices.length}`;
    if (!denoised) return;
    const digest = await huDigest(denoised);
    if (slices[index] === slice) result.dataset['resultSha256'] = digest;
  }

  function go(to: number): void {
    index = Math.max(0, Math.min(slices.length - 1, to));
    sliceInput.value = String(index + 1);
    void show();
  }

  sliceInput.addEventListener('input', () => go(Number(sliceInput.value) - 1));
  stage.addEventListener(
    'wheel',
    (event) => {
      if (slices.length < 2) return;
      event.preventDefault();
      go(index + Math.sign(event.deltaY));
    },
    { passive: false },
  );
  stage.addEventListener('pointermove', (event) => {
    readout.textContent = describe(event, slices[index]);
  });
  stage.addEventListener('pointerleave', () => (readout.textContent = ''));

  return {
    open(opened) {
      slices = [...opened];
      sliceInput.max = String(slices.length);
      sliceControl.hidden = slices.length < 2;
      go(0);
    },
    setDenoised(at, denoised) {
      const slice = slices[at];
      if (!slice) return;
      slices[at] = { ...slice, denoised };
      if (at === index) void show();
    },
  };
}

/** The HU under the pointer. */
function describe(event: PointerEvent, slice: ViewedSlice | undefined): string {
  const canvas = event.target;
  if (!slice || !(canvas instanceof HTMLCanvasElement)) return '';
  const box = canvas.getBoundingClientRect();
  const { width, height, hu } = slice.original;
  const x = Math.floor(((event.clientX - box.left) * width) / box.width);
  const y = Math.floor(((event.clientY - box.top) * height) / box.height);
  if (x < 0 || y < 0 || x >= width || y >= height) return '';
  const pixel = y * width + x;
  const after = slice.denoised ? ` → ${slice.denoised.hu[pixel]}` : '';
  return `x ${x}, y ${y}: ${hu[pixel]}${after} HU`;
}

/** SHA-256 of the HU as little-endian 16-bit integers, in hexadecimal; browsers offer it over HTTPS and locally only. */
async function huDigest({ hu }: HuImage): Promise<string> {
  if (!isSecureContext) return '';
  const bytes = new DataView(new ArrayBuffer(2 * hu.length));
  hu.forEach((value, i) => bytes.setInt16(2 * i, value, true));
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
