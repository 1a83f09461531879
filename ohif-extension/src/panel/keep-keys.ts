/** Keys by which controls are worked. OHIF has hotkeys on some of them, and then the control would never get them. */
const controlKeys: ReadonlySet<string> = new Set([
  ...['Enter', ' ', 'Escape', 'ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown'],
  ...['Home', 'End', 'PageUp', 'PageDown'],
]);

/** Keys that work a control of the panel do not reach the viewer's hotkeys; all others do. */
export function keepControlKeys(panel: HTMLElement): void {
  const keep = (event: KeyboardEvent): void => {
    if (controlKeys.has(event.key)) event.stopPropagation();
  };
  for (const type of ['keydown', 'keypress', 'keyup'] as const) panel.addEventListener(type, keep);
}
