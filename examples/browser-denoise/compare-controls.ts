import { byId, segments } from './elements.ts';

const views = [
  { id: 'side', label: 'Side by side' },
  { id: 'swipe', label: 'Swipe' },
  { id: 'difference', label: 'Difference' },
];
const zooms = [1, 2, 4];

/** How original and result are laid out: side by side, one over the other with a swipe and a blink, or subtracted. */
export function createCompareControls(
  root: HTMLElement,
  stage: HTMLElement,
): { readonly enable: (on: boolean) => void } {
  const swipe = byId('swipe', HTMLInputElement);
  const blink = byId('blink', HTMLButtonElement);
  const zoom = byId('zoom', HTMLButtonElement);
  const zoomFactor = byId('zoom-factor', HTMLElement);
  let enabled = false;
  let zoomIndex = 0;

  const select = segments(byId('views', HTMLElement), views, setView);

  function setView(view: string): void {
    root.dataset['view'] = view;
    select(view);
    updateControls();
  }

  function updateControls(): void {
    swipe.disabled = !enabled || root.dataset['view'] !== 'swipe';
    blink.disabled = !enabled;
  }

  /** @param percent of the width, from the left, that shows the original; the rest shows the result */
  function setSwipe(percent: number): void {
    swipe.value = String(percent);
    stage.style.setProperty('--swipe', `${percent}%`);
    root.dataset['shown'] = percent === 0 ? 'denoised' : percent === 100 ? 'original' : 'both';
    blink.setAttribute('aria-pressed', String(percent === 0));
  }

  /** Flips between nothing but the original and nothing but the result. */
  function flip(): void {
    if (!enabled) return;
    if (root.dataset['view'] !== 'swipe') setView('swipe');
    setSwipe(swipe.value === '0' ? 100 : 0);
  }

  /** @param at point that stays where it is, as parts of width and height */
  function setZoom(index: number, at: readonly [number, number] = [0.5, 0.5]): void {
    zoomIndex = index % zooms.length;
    const factor = zooms[zoomIndex] as number;
    stage.style.setProperty('--zoom', String(factor));
    stage.style.setProperty('--zoom-at', `${at[0] * 100}% ${at[1] * 100}%`);
    zoomFactor.textContent = `${factor}×`;
  }

  swipe.addEventListener('input', () => setSwipe(swipe.valueAsNumber));
  blink.addEventListener('click', flip);
  zoom.addEventListener('click', () => setZoom(zoomIndex + 1));
  stage.addEventListener('dblclick', (event) => {
    if (!(event.target instanceof HTMLCanvasElement)) return;
    const box = event.target.getBoundingClientRect();
    const at = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height] as const;
    setZoom(zoomIndex + 1, at);
  });
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (event.key === 'b') flip();
    if (event.key === 'z') setZoom(zoomIndex + 1);
  });

  setView('side');
  setSwipe(50);
  return {
    enable(on) {
      enabled = on;
      updateControls();
    },
  };
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLInputElement && ['url', 'password', 'number'].includes(target.type);
