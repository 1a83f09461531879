/** Unit in which the memory of a module grows. */
export const pageBytes = 65_536;

/** The module of bytes in base64, as tools/build-wasm.mjs writes them. */
export const compileModule = (base64: string): WebAssembly.Module =>
  new WebAssembly.Module(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)));

/** Functions of an instance of a module that works in a memory. */
export const instantiate = <Functions>(module: WebAssembly.Module, memory: WebAssembly.Memory): Functions =>
  new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Functions;

/** Makes a memory at least `bytes` large, which takes its views away. @throws RangeError where it cannot grow */
export function growTo(memory: WebAssembly.Memory, bytes: number): void {
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / pageBytes));
}
