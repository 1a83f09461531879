import { DenoiseError } from '../errors/index.ts';
import type { HuImage } from './hu-image.ts';

/** Figures by the convention of the project: both images clipped to -160..240 HU, data range 400. */
export interface Quality {
  /** Peak signal-to-noise ratio, dB; Infinity for equal images. */
  readonly psnr: number;
  /** Structural similarity, at most 1. */
  readonly ssim: number;
  /** Root of the mean squared difference, HU. */
  readonly rmse: number;
}

const window = { lowHu: -160, highHu: 240 };
const dataRange = window.highHu - window.lowHu;

/**
 * How close an image is to a reference of the same size, at least 7x7.
 * @throws IMAGE_INVALID
 */
export function quality(image: HuImage, reference: HuImage): Quality {
  const { width, height } = image;
  if (width !== reference.width || height !== reference.height || Math.min(width, height) < side)
    throw new DenoiseError('IMAGE_INVALID', { width, height, reason: 'sizes differ or are below 7x7' });
  const [x, y] = [clipToWindow(image.hu), clipToWindow(reference.hu)];
  let squares = 0;
  for (let i = 0; i < x.length; i++) squares += ((x[i] as number) - (y[i] as number)) ** 2;
  const rmse = Math.sqrt(squares / x.length);
  return { psnr: 20 * Math.log10(dataRange / rmse), ssim: structuralSimilarity(x, y, width, height), rmse };
}

const clipToWindow = (hu: Int16Array): Int16Array =>
  hu.map((value) => Math.max(window.lowHu, Math.min(window.highHu, value)));

// Wang et al. 2004, as scikit-image's structural_similarity computes it by default: a uniform 7x7 window, K1 = 0.01,
// K2 = 0.03, sample covariance, and the mean over the windows that lie inside the image.
const side = 7;
const samples = side * side;
const c1 = (0.01 * dataRange) ** 2;
const c2 = (0.03 * dataRange) ** 2;

function structuralSimilarity(x: Int16Array, y: Int16Array, width: number, height: number): number {
  // Sums over the last 7 rows, for each column. They stay exact: 2 * 49 * 240^2 < 2^31.
  const columns = { x: new Int32Array(width), y: new Int32Array(width), squares: new Int32Array(width) };
  const products = new Int32Array(width);
  const move = (row: number, sign: 1 | -1): void => {
    for (let column = 0, i = row * width; column < width; column++, i++) {
      const [a, b] = [x[i] as number, y[i] as number];
      columns.x[column] = (columns.x[column] as number) + sign * a;
      columns.y[column] = (columns.y[column] as number) + sign * b;
      columns.squares[column] = (columns.squares[column] as number) + sign * (a * a + b * b);
      products[column] = (products[column] as number) + sign * a * b;
    }
  };
  let total = 0;
  for (let row = 0; row < height; row++) {
    move(row, 1);
    if (row >= side) move(row - side, -1);
    if (row < side - 1) continue;
    let [sumX, sumY, sumSquares, sumProducts] = [0, 0, 0, 0];
    for (let column = 0; column < width; column++) {
      sumX += columns.x[column] as number;
      sumY += columns.y[column] as number;
      sumSquares += columns.squares[column] as number;
      sumProducts += products[column] as number;
      if (column < side - 1) continue;
      total += similarity(sumX, sumY, sumSquares, sumProducts);
      const leaving = column - side + 1;
      sumX -= columns.x[leaving] as number;
      sumY -= columns.y[leaving] as number;
      sumSquares -= columns.squares[leaving] as number;
      sumProducts -= products[leaving] as number;
    }
  }
  return total / ((width - side + 1) * (height - side + 1));
}

/** SSIM of one window from its sums of x, y, x^2 + y^2 and x*y: only the sum of the two variances is needed. */
function similarity(sumX: number, sumY: number, sumSquares: number, sumProducts: number): number {
  const [meanX, meanY] = [sumX / samples, sumY / samples];
  const variances = (sumSquares - sumX * meanX - sumY * meanY) / (samples - 1);
  const covariance = (sumProducts - sumX * meanY) / (samples - 1);
  return (
    ((2 * meanX * meanY + c1) * (2 * covariance + c2)) /
    ((meanX * meanX + meanY * meanY + c1) * (variances + c2))
  );
}
