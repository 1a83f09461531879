import { safeProduct, type Piece } from '@cipherdose/sdk/image';
import { limits, type PiecewiseNode } from '@cipherdose/sdk/protocol';
import { chooseMultipliers, type Scaling } from './fixed-point-rules.ts';
import { singleScale } from './step-rules.ts';

type PiecewiseRule = Omit<PiecewiseNode, 'op' | 'name' | 'input'>;

/** Largest error of a piece in units of the output, before the last rounding. */
const tolerance = 1 / 16;
/** Places of a piece at which its error is measured. */
const probes = 256;

/**
 * The integer form of a function of one variable: as few quadratics as keep within a sixteenth of a unit of it, from
 * the left, each as long as it can be. Functions that are quadratic in pieces come out as those pieces.
 * @param apply the function on real values. Both sides have one scale.
 */
export function piecewiseRule(apply: (x: number) => number, input: Scaling, target: Scaling): PiecewiseRule {
  const [unit, out] = [singleScale(input), singleScale(target)];
  // What the clamp cuts off needs no accuracy.
  const wanted = (x: number): number =>
    Math.max(target.low - 1, Math.min(target.high + 1, apply(x * unit) / out));
  let pieces: Piece[] = [];
  for (let allowed = tolerance; ; allowed *= 2) {
    pieces = fitPieces(wanted, input.low, input.high, allowed);
    if (pieces.length <= limits.pieces) break;
  }
  const lengths = pieces.map(({ start }, i) => (pieces[i + 1]?.start ?? input.high + 1) - start);
  const reach = pieces.map(({ square, slope, constant }, i) => {
    const u = (lengths[i] as number) - 1;
    return (Math.abs(square) * u + Math.abs(slope)) * u + Math.abs(constant);
  });
  const u = Math.max(...lengths);
  const ratios = pieces.flatMap(({ square, slope, constant }) => [square, slope, constant]);
  const { multipliers, shift } = chooseMultipliers(ratios, Math.max(...reach), u * u + u + 1, safeProduct);
  return {
    pieces: pieces.map(({ start }, i) => ({
      start,
      square: multipliers[3 * i] as number,
      slope: multipliers[3 * i + 1] as number,
      constant: multipliers[3 * i + 2] as number,
    })),
    shift,
    low: target.low,
    high: target.high,
  };
}

function fitPieces(wanted: (x: number) => number, low: number, high: number, allowed: number): Piece[] {
  const pieces: Piece[] = [];
  for (let start = low; start <= high;) {
    const most = high - start + 1;
    let [fitting, failing] = [Math.min(3, most), most + 1];
    for (let length = 2 * fitting; fitting < most; length = Math.min(most, 2 * length)) {
      if (!fits(wanted, start, length, allowed)) {
        failing = length;
        break;
      }
      fitting = length;
    }
    while (failing - fitting > 1) {
      const middle = Math.floor((fitting + failing) / 2);
      if (middle <= most && fits(wanted, start, middle, allowed)) fitting = middle;
      else failing = middle;
    }
    pieces.push(quadratic(wanted, start, fitting));
    start += fitting;
  }
  return pieces;
}

function fits(wanted: (x: number) => number, start: number, length: number, allowed: number): boolean {
  const { square, slope, constant } = quadratic(wanted, start, length);
  const count = Math.min(length, probes);
  for (let i = 0; i < count; i++) {
    const u = count === 1 ? 0 : Math.round((i * (length - 1)) / (count - 1));
    if (Math.abs((square * u + slope) * u + constant - wanted(start + u)) > allowed) return false;
  }
  return true;
}

/** Through three places of start .. start + length - 1, near those of Chebyshev. */
function quadratic(wanted: (x: number) => number, start: number, length: number): Piece {
  if (length === 1) return { start, square: 0, slope: 0, constant: wanted(start) };
  const end = length - 1;
  if (length === 2) {
    const [first, last] = [wanted(start), wanted(start + 1)];
    return { start, square: 0, slope: last - first, constant: first };
  }
  const a = length < 32 ? 0 : Math.round(0.067 * end);
  const [b, c] = [Math.round(end / 2), end - a];
  const [ya, yb, yc] = [wanted(start + a), wanted(start + b), wanted(start + c)];
  const first = (yb - ya) / (b - a);
  const second = ((yc - yb) / (c - b) - first) / (c - a);
  return {
    start,
    square: second,
    slope: first - second * (a + b),
    constant: ya - a * first + second * a * b,
  };
}
