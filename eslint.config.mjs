import js from '@eslint/js';
import { createNodeResolver, importX } from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/**
 * Import boundaries: what each folder may import, itself included. ARCHITECTURE.md has the same as a table.
 * Everything else of the same package is refused.
 */
const boundaries = {
  'sdk/src/errors': [],
  'sdk/src/protocol': ['errors'],
  'sdk/src/wasm': [],
  'sdk/src/image': ['errors', 'generated', 'wasm'],
  'sdk/src/assessment': ['image', 'errors'],
  'sdk/src/plan': ['protocol', 'image', 'errors', 'two-party'],
  'sdk/src/packing': ['protocol', 'plan', 'image', 'errors'],
  'sdk/src/he': ['protocol', 'errors', 'generated', 'wasm'],
  'sdk/src/two-party': ['errors', 'generated', 'wasm'],
  'sdk/src/dicom': ['image', 'errors'],
  'sdk/src/pixels': ['errors'],
  'sdk/src/private-session': ['two-party', 'plan', 'protocol', 'errors'],
  'sdk/src/session': ['plan', 'protocol', 'image', 'packing', 'errors'],
  'sdk/src/transport': ['protocol', 'private-session', 'errors'],
  'sdk/src/worker': ['he', 'two-party', 'private-session', 'packing', 'plan', 'protocol', 'image', 'errors'],
  'sdk/src/client': [
    'session',
    'private-session',
    'transport',
    'worker',
    'plan',
    'packing',
    'protocol',
    'image',
    'errors',
  ],
  'server/src/network': ['generated'],
  'server/src/onnx': ['network'],
  'server/src/registry': ['network', 'onnx', 'model-source.ts'],
  'server/src/evaluator': ['network', 'registry', 'generated', 'model-source.ts'],
  'server/src/private': ['network', 'evaluator', 'registry', 'model-source.ts'],
  'server/src/keys': [],
};

const zones = Object.entries(boundaries).map(([folder, allowed]) => {
  const source = folder.split('/').slice(0, 2).join('/');
  return {
    target: `./${folder}`,
    from: `./${source}`,
    except: [folder.slice(source.length + 1), ...allowed].map((name) => `./${name}`),
    message: 'ARCHITECTURE.md: imports go one way',
  };
});

const onlyInHe = {
  group: ['node-seal', 'node-seal/*'],
  message: 'Only sdk/src/he touches node-seal.',
};
const browserSafe = {
  group: ['node:*'],
  message: 'This folder also runs in browsers.',
};
const sdkForServer = {
  regex: '^@cipherdose/sdk(/worker|/internal/.*)?$',
  message: 'The host uses the shared parts of the SDK only.',
};
const zerosInEvaluator = {
  group: ['@cipherdose/sdk/zero-encryption'],
  message: 'Only server/src/evaluator encrypts zeros.',
};

export default tseslint.config(
  {
    ignores: [
      '.cache/',
      '**/dist/',
      '**/generated/',
      '**/assembly/',
      'docs/',
      'out/',
      'coverage/',
      '**/*.d.ts',
    ],
  },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts'],
    plugins: { 'import-x': importX },
    settings: { 'import-x/resolver-next': [createNodeResolver({ extensions: ['.ts', '.js', '.mjs'] })] },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      'import-x/no-restricted-paths': ['error', { zones }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  {
    files: ['sdk/src/**/*.ts'],
    ignores: [
      'sdk/src/he/**',
      'sdk/src/cli/**',
      'sdk/src/worker/node-worker.ts',
      'sdk/src/worker/spawn-node.ts',
    ],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns: [onlyInHe, browserSafe] }] },
  },
  {
    files: ['sdk/src/he/**/*.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns: [browserSafe] }] },
  },
  {
    files: ['server/src/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { patterns: [onlyInHe, sdkForServer, zerosInEvaluator] },
      ],
    },
  },
  {
    files: ['server/src/evaluator/**/*.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns: [onlyInHe, sdkForServer] }] },
  },
  {
    files: ['sdk/src/cli/**/*.ts', 'server/src/main.ts', 'examples/**/*.ts', 'test/bench/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: { console: 'readonly', process: 'readonly', Buffer: 'readonly', URL: 'readonly' },
    },
  },
);
