export { derivedUids, type DerivationOptions } from './derivation.ts';
export type { DataElement, DataSet } from './data-set.ts';
export { frameUid, isEnhancedCt, readEnhancedCt, type EnhancedCt } from './enhanced-ct.ts';
export { readCtSlice, type CtHeader, type CtSlice, type Vector } from './read-ct-slice.ts';
export { groupSeries, sortSlices, type CtSeries } from './series.ts';
export type { StoredFormat } from './stored-pixels.ts';
export { isDenoised, isDerived, writeDerivedSlice } from './write-derived-slice.ts';
