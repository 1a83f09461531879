/** A run of bits of the shares that one leaf OT compares. */
export interface Digit {
  /** Position of its lowest bit. */
  readonly offset: number;
  /** 1..4 bits. */
  readonly width: number;
  /** The signal of r > ~u on these bits. */
  readonly signal: number;
  /** The signal of r > ~(u - 2^(shift + clamp)) on these bits; only for digits above the clamp. */
  readonly cappedSignal?: number;
}

/** An AND node: greater = high greater ^ (high equal & low greater), and if asked equal = high equal & low equal. */
export interface TreeNode {
  /** 1..3: the exchange in which its inputs are opened. */
  readonly level: number;
  readonly high: number;
  readonly low: number;
  readonly givesEqual: boolean;
  /** The signal that it makes. */
  readonly signal: number;
}

/** Which digits are compared and how the comparisons are joined, lowest digit and level first. */
export interface ComparisonTree {
  readonly digits: readonly Digit[];
  readonly nodes: readonly TreeNode[];
  /** How many signals there are. */
  readonly signals: number;
  /** The carry into bit `shift`. */
  readonly carry: number;
  /** The carry into the top bit; not where only a division is done. */
  readonly top?: number;
  /** The same after 2^(shift + clamp) was taken off; only with a clamp. */
  readonly cappedTop?: number;
}

/** Levels that the exchanges of an activation have room for. */
export const treeLevels = 3;

const digitBits = 4;

/**
 * Plans the comparison: digits are aligned at `shift`, so that the low tree gives the carry of the truncation and is
 * also the lower part of the whole comparison; with a clamp also at `shift + clampBits`, above which there are two
 * comparisons.
 * @param clampBits 0 for no clamp
 * @returns undefined where three levels are not enough
 */
export function planComparison(
  accumulatorBits: number,
  shift: number,
  clampBits: number,
): ComparisonTree | undefined {
  const low = splitDigits(0, shift);
  const middle = splitDigits(shift, clampBits);
  const top = splitDigits(shift + clampBits, accumulatorBits - 1 - shift - clampBits);
  const plain = [...low, ...middle, ...top].map((digit, signal) => ({ ...digit, signal }));
  const firstTop = low.length + middle.length;
  const digits: Digit[] = plain.map((digit) =>
    clampBits > 0 && digit.signal >= firstTop ? { ...digit, cappedSignal: digit.signal + top.length } : digit,
  );
  const lowSignals = plain.slice(0, low.length).map(({ signal }) => signal);
  const middleSignals = plain.slice(low.length, firstTop).map(({ signal }) => signal);
  const topSignals = plain.slice(firstTop).map(({ signal }) => signal);
  const leaves = plain.length + (clampBits > 0 ? top.length : 0);

  const orders: JoinOrder[] = [
    (tree, carry, tops) => tree.join(tree.joinAll([...middleSignals, ...tops], true), carry, false),
    ...(clampBits > 0
      ? [
          (...[tree, carry, tops]: Parameters<JoinOrder>) =>
            tree.join(
              tree.joinAll(tops, true),
              tree.join(tree.joinAll(middleSignals, true), carry, false),
              false,
            ),
          (...[tree, carry, tops]: Parameters<JoinOrder>) =>
            tree.join(
              tree.join(tree.joinAll(tops, true), tree.joinAll(middleSignals, true), true),
              carry,
              false,
            ),
        ]
      : []),
    (tree, _, tops) => tree.joinAll([...lowSignals, ...middleSignals, ...tops], false),
  ];
  let best: { tree: ComparisonTree; cost: number } | undefined;
  for (const order of orders) {
    const tree = new TreeBuilder(leaves);
    const carry = tree.joinAll(lowSignals, false);
    const whole = order(tree, carry, topSignals);
    const capped =
      clampBits > 0
        ? {
            cappedTop: order(
              tree,
              carry,
              topSignals.map((signal) => signal + top.length),
            ),
          }
        : {};
    const { nodes, openedBits } = tree;
    if (nodes.some(({ level }) => level > treeLevels) || tree.level(carry) >= treeLevels) continue;
    if (best && best.cost <= openedBits) continue;
    best = {
      tree: { digits, nodes, signals: leaves + nodes.length, carry, top: whole, ...capped },
      cost: openedBits,
    };
  }
  return best?.tree;
}

/** What a division alone needs: the comparison of the bits below `shift`. */
export function planCarry(shift: number): ComparisonTree {
  const digits = splitDigits(0, shift).map((digit, signal) => ({ ...digit, signal }));
  const tree = new TreeBuilder(digits.length);
  const carry = tree.joinAll(
    digits.map(({ signal }) => signal),
    false,
  );
  return { digits, nodes: tree.nodes, signals: digits.length + tree.nodes.length, carry };
}

/** Digits as even as possible, the widest on top. */
function splitDigits(offset: number, bits: number): { offset: number; width: number }[] {
  const count = Math.ceil(bits / digitBits);
  const digits: { offset: number; width: number }[] = [];
  for (let i = 0; i < count; i++) {
    const width = Math.floor(bits / (count - i));
    digits.push({ offset, width });
    offset += width;
    bits -= width;
  }
  return digits;
}

/** Joins the carry with what is above it. */
type JoinOrder = (tree: TreeBuilder, carry: number, tops: readonly number[]) => number;

class TreeBuilder {
  readonly #leaves: number;
  readonly #nodes: TreeNode[] = [];

  constructor(leaves: number) {
    this.#leaves = leaves;
  }

  get nodes(): readonly TreeNode[] {
    return [...this.#nodes].sort((a, b) => a.level - b.level);
  }

  /** Bits that each side opens for one activation. */
  get openedBits(): number {
    return this.#nodes.reduce((bits, { givesEqual }) => bits + (givesEqual ? 3 : 2), 0);
  }

  level(signal: number): number {
    return this.#nodes[signal - this.#leaves]?.level ?? 0;
  }

  /** The same node twice is one node. */
  join(high: number, low: number, givesEqual: boolean): number {
    const known = this.#nodes.find((node) => node.high === high && node.low === low);
    if (known && known.givesEqual === givesEqual) return known.signal;
    const level = Math.max(this.level(high), this.level(low)) + 1;
    const signal = this.#leaves + this.#nodes.length;
    this.#nodes.push({ level, high, low, givesEqual, signal });
    return signal;
  }

  /** @param signals lowest digit first */
  joinAll(signals: readonly number[], givesEqual: boolean): number {
    if (signals.length === 1) return signals[0] as number;
    const half = signals.length >> 1;
    return this.join(
      this.joinAll(signals.slice(half), true),
      this.joinAll(signals.slice(0, half), givesEqual),
      givesEqual,
    );
  }
}
