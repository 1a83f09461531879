export { compileModule, growTo, instantiate, pageBytes } from './compile-module.ts';
export { KeptModule, type Room } from './kept-module.ts';
