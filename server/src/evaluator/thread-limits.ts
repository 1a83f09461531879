/**
 * Of every thread that handles frames or messages: a small young generation, so that their buffers are given back soon.
 * They count for little on the heap.
 */
export const threadLimits = { maxYoungGenerationSizeMb: 2 };
