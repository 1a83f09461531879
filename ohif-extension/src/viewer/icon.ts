// OHIF does not share its icon registry with extensions that are loaded by URL, so the icon is drawn over the one that
// stands in for it: a noisy half and a smooth half under a lock.
const drawing =
  "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 28 28' fill='none' stroke='black' stroke-width='1.6' stroke-linecap='round'>" +
  "<circle cx='13' cy='15' r='9'/><path d='M13 6v18M15.500 9.500v11M18 11v8'/>" +
  "<path d='M9.500 10h.01M7.500 13.500h.01M10.500 14h.01M8.500 17h.01M10.500 20h.01M6.800 16.200h.01' stroke-width='2'/>" +
  "<rect x='19.500' y='6' width='7' height='5.500' rx='1' fill='black'/><path d='M21 6V4.500a2 2 0 0 1 4 0V6'/></svg>";

const mask = `url("data:image/svg+xml,${encodeURIComponent(drawing)}") center / contain no-repeat`;

/**
 * Gives the buttons that the selectors name our icon, in the colour of their text.
 * @param buttons side of the icon in pixels, by selector
 * @returns takes it away
 */
export function drawIcon(buttons: Readonly<Record<string, number>>): () => void {
  const style = document.createElement('style');
  style.textContent = Object.entries(buttons)
    .map(
      ([selector, side]) =>
        `${selector} svg { width: ${side}px !important; height: ${side}px !important; background: currentColor; mask: ${mask}; }
         ${selector} svg > * { visibility: hidden; }`,
    )
    .join('\n');
  document.head.append(style);
  return () => style.remove();
}
