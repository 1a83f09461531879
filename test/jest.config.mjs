/** Tests run as native ESM on Node 24; swc only strips types, `tsc -b` has checked them before. */
export default {
  rootDir: '.',
  testEnvironment: 'node',
  testMatch: ['<rootDir>/{unit,property,integration,hostile,vectors,browser}/**/*.test.ts'],
  testPathIgnorePatterns: ['/dist/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2023' }, module: { type: 'es6' } },
    ],
  },
  testTimeout: 300_000,
  maxWorkers: 2,
  testSequencer: '<rootDir>/longest-first.mjs',
};
