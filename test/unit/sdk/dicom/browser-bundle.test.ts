import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from '@jest/globals';
import { build, stop } from 'esbuild';

afterAll(stop);

it('bundles for browsers: no module of Node is imported', async () => {
  const { outputFiles, errors } = await build({
    stdin: {
      contents: `import { readCtSlice } from '@cipherdose/sdk/dicom'; globalThis.read = readCtSlice;`,
      resolveDir: fileURLToPath(new URL('.', import.meta.url)),
    },
    bundle: true,
    platform: 'browser',
    format: 'esm',
    minify: true,
    write: false,
    logLevel: 'silent',
  });
  expect(errors).toEqual([]);
  expect(outputFiles[0]?.text).not.toMatch(/from"node:|require\("node:/);
});
