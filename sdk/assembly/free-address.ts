/** First address that a module leaves free. */
export function freeAddress(): usize {
  return __heap_base;
}
