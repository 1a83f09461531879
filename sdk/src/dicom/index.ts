export { derivedUids, type DerivationOptions } from './derivation.ts';
export { readCtSlice, type CtHeader, type CtSlice, type Vector } from './read-ct-slice.ts';
export { groupSeries, sortSlices, type CtSeries } from './series.ts';
export { isDenoised, isDerived, writeDerivedSlice } from './write-derived-slice.ts';
