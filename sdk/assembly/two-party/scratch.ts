// Memory that the functions of this module use between their first and last instruction; it starts behind the module's
// own data and ends at freeAddress(). Vectors are 16 bytes.

const base: usize = (__heap_base + 63) & ~63;

/** 256 bit planes of 16 groups: the columns of the OT extension. */
export const matrix: usize = base;
/** One column for every repetition of the code, 16 vectors each: at most 60. */
export const sums: usize = matrix + 256 * 256;
/** Partial sums of the fold: 9 columns. */
export const partial: usize = sums + 60 * 256;
/** Two blocks of the stream. */
export const stream: usize = partial + 9 * 256;
/** 8 words of 128 rows, 512 bytes a word. */
export const rows: usize = stream + 512;
/** 16 code words of 8 words. */
export const codeWords: usize = rows + 8 * 512;
/** All encodings of one leaf's choice: 16 columns. */
export const choices: usize = codeWords + 16 * 32;
/** A group of values. */
export const group: usize = choices + 16 * 256;
/** Another one. */
export const otherGroup: usize = group + 512;
/** Comparison tables: 16 words for greater and equal, 16 for greater alone. */
export const tables: usize = otherGroup + 512;
export const end: usize = tables + 128;
