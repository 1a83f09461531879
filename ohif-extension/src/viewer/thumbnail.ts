const side = 128;

/**
 * A small picture of a slice for the list of series, as a data URL.
 * @param pixels row-major, rows x columns, HU
 * @param window centre and width, HU
 */
export function drawThumbnail(
  pixels: Int16Array,
  rows: number,
  columns: number,
  window: readonly [centre: number, width: number],
): string {
  const [centre, width] = window;
  const scale = Math.min(side / rows, side / columns);
  const [height, breadth] = [Math.max(1, Math.round(rows * scale)), Math.max(1, Math.round(columns * scale))];
  const reach = Math.max(1, Math.floor(1 / scale));
  /** Of the pixels that become one, so that noise does not look worse than it is. */
  function mean(left: number, top: number): number {
    let sum = 0;
    for (let y = top; y < top + reach; y++)
      for (let x = left; x < left + reach; x++) sum += pixels[y * columns + x] ?? 0;
    return sum / (reach * reach);
  }
  return draw(breadth, height, (context) => {
    const image = context.createImageData(breadth, height);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < breadth; x++) {
        const grey = 255 * ((mean(Math.floor(x / scale), Math.floor(y / scale)) - centre) / width + 0.5);
        image.data.set([grey, grey, grey, 255], 4 * (y * breadth + x));
      }
    context.putImageData(image, 0, 0);
  });
}

/** What stands in the list of series until the first slice is there. */
export const waitingThumbnail = (): string =>
  draw(side, side, (context) => {
    context.fillRect(0, 0, side, side);
    context.fillStyle = '#9fb7d9';
    context.font = '14px sans-serif';
    context.textAlign = 'center';
    context.fillText('Denoising …', side / 2, side / 2 + 5);
  });

function draw(width: number, height: number, paint: (context: CanvasRenderingContext2D) => void): string {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  if (context) paint(context);
  return canvas.toDataURL();
}
