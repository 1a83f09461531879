/** Whether two arrays hold the same numbers; jest's toEqual takes seconds for a slice. */
export const sameValues = (first: ArrayLike<number>, second: ArrayLike<number>): boolean =>
  first.length === second.length &&
  Array.prototype.every.call(first, (value, index) => value === second[index]);
