import { byId, segments } from './elements.ts';
import { windowPresets, type GreyWindow } from './grey-window.ts';

/** HU that a drag over one CSS pixel changes. */
const huPerPixel = 2;

/**
 * Grey window by presets, by numbers, and by dragging over the picture: left and right for the width, up and down for
 * the level.
 */
export function createWindowControls(
  stage: HTMLElement,
  onChange: (window: GreyWindow) => void,
): { readonly current: () => GreyWindow } {
  const level = byId('level', HTMLInputElement);
  const width = byId('width', HTMLInputElement);
  let current: GreyWindow = windowPresets[0] as GreyWindow;

  const select = segments(byId('presets', HTMLElement), windowPresets, (id) => {
    const preset = windowPresets.find((one) => one.id === id);
    if (preset) set(preset);
  });

  function set(next: GreyWindow): void {
    current = { level: Math.round(next.level), width: Math.max(1, Math.round(next.width)) };
    level.value = String(current.level);
    width.value = String(current.width);
    select(windowPresets.find((one) => one.level === current.level && one.width === current.width)?.id);
    onChange(current);
  }

  for (const input of [level, width])
    input.addEventListener('change', () => {
      const typed = { level: level.valueAsNumber, width: width.valueAsNumber };
      set(Number.isFinite(typed.level) && Number.isFinite(typed.width) ? typed : current);
    });

  stage.addEventListener('pointerdown', (event) => {
    if (event.button !== 0 || !(event.target instanceof HTMLCanvasElement)) return;
    const start = { x: event.clientX, y: event.clientY, ...current };
    const drag = (move: PointerEvent): void =>
      set({
        level: start.level + (move.clientY - start.y) * huPerPixel,
        width: start.width + (move.clientX - start.x) * huPerPixel,
      });
    const canvas = event.target;
    canvas.setPointerCapture(event.pointerId);
    canvas.addEventListener('pointermove', drag);
    const end = (): void => canvas.removeEventListener('pointermove', drag);
    canvas.addEventListener('lostpointercapture', end, { once: true });
  });

  set(current);
  return { current: () => current };
}
