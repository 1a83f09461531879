/**
 * A value while a graph is lowered: square * x^2 + slope * x + constant of the value x of a node that is already
 * there. Multiplications, additions and squares only change the coefficients; a node is made when something else
 * needs the value. Coefficients are one for each channel, or a single one for all.
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
}

type Coefficients = readonly number[];

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

export const scale = (value: Expression, factor: Coefficients): Expression => ({
  ...value,
  square: combine(value.square, factor, product),
  slope: combine(value.slope, factor, product),
  constant: combine(value.constant, factor, product),
});

export const shift = (value: Expression, offset: Coefficients): Expression => ({
  ...value,
  constant: combine(value.constant, offset, sum),
});

export const isZero = (coefficients: Coefficients): boolean =>
  coefficients.every((coefficient) => coefficient === 0);

export const isLinear = (value: Expression): boolean => isZero(value.square);

/** @returns the sum if both are polynomials of the same x. */
export const addExpressions = (a: Expression, b: Expression): Expression | undefined =>
  a.node === b.node
    ? {
        ...a,
        square: combine(a.square, b.square, sum),
        slope: combine(a.slope, b.slope, sum),
        constant: combine(a.constant, b.constant, sum),
      }
    : undefined;

/** @returns the product if both are linear in the same x. */
export function multiplyExpressions(a: Expression, b: Expression): Expression | undefined {
  if (a.node !== b.node || !isLinear(a) || !isLinear(b)) return undefined;
  const cross = combine(combine(a.slope, b.constant, product), combine(b.slope, a.constant, product), sum);
  return {
    ...a,
    square: combine(a.slope, b.slope, product),
    slope: cross,
    constant: combine(a.constant, b.constant, product),
  };
}
