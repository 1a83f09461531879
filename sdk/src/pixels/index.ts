/**
 * Decoding of compressed slices to the words that were compressed, exactly as the reference decoder gives them. An entry
 * of its own: the decoders are large, and most archives send their slices uncompressed.
 * @packageDocumentation
 */
export { needsDecoding, toNativeSyntax } from './native-syntax.ts';
