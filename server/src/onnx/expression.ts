/**
 * A value while a graph is lowered: square * x^2 + slope * x + constant of the value x of a node that is already
 * there, or any function of it. Multiplications, additions and squares only change the coefficients; a node is made
 * when something else needs the value. Coefficients are one for each channel, or a single one for all.
 */
export interface Expression {
  /** Name in the float network. */
  readonly node: string;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly square: readonly number[];
  readonly slope: readonly number[];
  readonly constant: readonly number[];
  /** If given, the value is this function of x, for all channels, and the coefficients say nothing. */
  readonly curve?: Curve | undefined;
}

/** A function of one variable, and how many functions it is made of. */
export interface Curve {
  readonly apply: (x: number) => number;
  readonly depth: number;
}

type Coefficients = readonly number[];

/** The value of a node. */
export const valueOf = (node: string, channels: number, height: number, width: number): Expression => ({
  node,
  channels,
  height,
  width,
  square: [0],
  slope: [1],
  constant: [0],
});

const combine = (a: Coefficients, b: Coefficients, operation: (a: number, b: number) => number): number[] =>
  Array.from({ length: Math.max(a.length, b.length) }, (_, i) =>
    operation((a[i] ?? a[0]) as number, (b[i] ?? b[0]) as number),
  );

const sum = (a: number, b: number): number => a + b;
const product = (a: number, b: number): number => a * b;

/** @param factor a single one if the value is a curve */
export function scale(value: Expression, factor: Coefficients): Expression {
  if (value.curve) return composed(value, value.curve, (y) => y * (factor[0] as number));
  return {
    ...value,
    square: combine(value.square, factor, product),
    slope: combine(value.slope, factor, product),
    constant: combine(value.constant, factor, product),
  };
}

/** @param offset a single one if the value is a curve */
export function shift(value: Expression, offset: Coefficients): Expression {
  if (value.curve) return composed(value, value.curve, (y) => y + (offset[0] as number));
  return { ...value, constant: combine(value.constant, offset, sum) };
}

/** outer(curve(x)) */
export const composed = (
  value: Expression,
  { apply, depth }: Curve,
  outer: (y: number) => number,
): Expression => ({
  ...value,
  curve: { apply: (x) => outer(apply(x)), depth: depth + 1 },
});

/** True if every coefficient is 0. */
export const isZero = (coefficients: Coefficients): boolean =>
  coefficients.every((coefficient) => coefficient === 0);

/** True for slope * x + constant. */
export const isLinear = (value: Expression): boolean => !value.curve && isZero(value.square);

/** The value as a function of x, if it is the same one for all channels. */
export function curveOf(value: Expression): Curve | undefined {
  if (value.curve) return value.curve;
  const { square, slope, constant } = value;
  if ([square, slope, constant].some((coefficients) => new Set(coefficients).size !== 1)) return undefined;
  const [a, b, c] = [square[0] as number, slope[0] as number, constant[0] as number];
  return { apply: (x) => (a * x + b) * x + c, depth: 1 };
}

/** @returns the sum if both are polynomials, or curves, of the same x. */
export function addExpressions(a: Expression, b: Expression): Expression | undefined {
  if (a.node !== b.node) return undefined;
  if (a.curve || b.curve) return joinCurves(a, b, sum);
  return {
    ...a,
    square: combine(a.square, b.square, sum),
    slope: combine(a.slope, b.slope, sum),
    constant: combine(a.constant, b.constant, sum),
  };
}

/** @returns the product if both are linear in, or curves of, the same x. */
export function multiplyExpressions(a: Expression, b: Expression): Expression | undefined {
  if (a.node !== b.node) return undefined;
  if (!isLinear(a) || !isLinear(b)) return joinCurves(a, b, product);
  const cross = combine(combine(a.slope, b.constant, product), combine(b.slope, a.constant, product), sum);
  return {
    ...a,
    square: combine(a.slope, b.slope, product),
    slope: cross,
    constant: combine(a.constant, b.constant, product),
  };
}

/** @returns the quotient if both are curves of the same x. */
export const divideExpressions = (a: Expression, b: Expression): Expression | undefined =>
  a.node === b.node ? joinCurves(a, b, (x, y) => x / y) : undefined;

function joinCurves(
  a: Expression,
  b: Expression,
  operation: (a: number, b: number) => number,
): Expression | undefined {
  const [first, second] = [curveOf(a), curveOf(b)];
  if (!first || !second) return undefined;
  const apply = (x: number): number => operation(first.apply(x), second.apply(x));
  return { ...a, curve: { apply, depth: first.depth + second.depth } };
}
