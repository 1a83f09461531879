import loadLibrary from 'node-seal/allows';
import { DenoiseError } from '../errors/index.ts';

/** node-seal, loaded. The build that allows transparent results: an all-zero weight polynomial is no error. */
export type SealLibrary = Awaited<ReturnType<typeof loadLibrary>>;

/**
 * Loads node-seal, which is SEAL 4.1.2 as WebAssembly.
 * @param wasmUrl where seal_allows.wasm stands; needed in browser bundles, found by itself in Node
 * @throws SEAL_FAILED
 */
export async function loadSeal(wasmUrl?: string): Promise<SealLibrary> {
  try {
    return await loadLibrary(wasmUrl === undefined ? {} : { locateFile: () => wasmUrl });
  } catch (error) {
    throw sealError(error, 'load');
  }
}

/** Runs one operation of SEAL; its errors are WebAssembly exceptions whose message is [type, text]. */
export function sealCall<T>(operation: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw sealError(error, operation);
  }
}

function sealError(error: unknown, operation: string): DenoiseError {
  const message: unknown = (error as { message?: unknown } | null)?.message;
  const reason = Array.isArray(message) ? message.map(String).join(': ') : String(message);
  return DenoiseError.wrap(error, 'SEAL_FAILED', { operation, reason });
}
