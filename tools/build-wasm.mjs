// Compiles the AssemblyScript modules and writes each as a TypeScript module that holds the bytes in base64, so that
// the same import works in Node, in workers and in browser bundles.
import { mkdirSync, readFileSync, writeFileSync, existsSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const modules = [
  { entry: 'sdk/assembly/index.ts', target: 'sdk/src/generated/codec-wasm.ts', name: 'codecWasm' },
  {
    entry: 'sdk/assembly/correlate.ts',
    target: 'sdk/src/generated/correlate-wasm.ts',
    name: 'correlateWasm',
  },
  {
    entry: 'sdk/assembly/non-local-means.ts',
    target: 'sdk/src/generated/non-local-means-wasm.ts',
    name: 'nonLocalMeansWasm',
  },
  {
    entry: 'sdk/assembly/two-party/index.ts',
    target: 'sdk/src/generated/two-party-wasm.ts',
    name: 'twoPartyWasm',
  },
  { entry: 'server/assembly/index.ts', target: 'server/src/generated/kernel-wasm.ts', name: 'kernelWasm' },
  {
    entry: 'server/assembly/index.ts',
    target: 'server/src/generated/kernel-8192-wasm.ts',
    name: 'kernel8192Wasm',
    replaced: { 'server/assembly/ring-degree.ts': 'export const ringDegree: u32 = 8192;\n' },
  },
  {
    entry: 'server/assembly/correlate.ts',
    target: 'server/src/generated/correlate-wasm.ts',
    name: 'correlateWasm',
  },
];

for (const { entry, target, name, replaced = {} } of modules) {
  if (!existsSync(join(root, entry))) continue;
  const output = new Map();
  const { error, stderr } = await asc.main(
    [
      entry,
      '--outFile',
      'module.wasm',
      '-O3',
      '--noAssert',
      '--enable',
      'simd',
      '--runtime',
      'stub',
      '--importMemory',
    ],
    {
      readFile: (name, base) => {
        const path = join(root, base === '.' ? '' : base, name);
        const instead = replaced[relative(root, path).split(sep).join('/')];
        if (instead !== undefined) return instead;
        return existsSync(path) ? readFileSync(path, 'utf8') : null;
      },
      writeFile: (name, contents) => void output.set(name, contents),
      listFiles: () => [],
    },
  );
  if (error) {
    console.error(stderr.toString());
    throw new Error(`${entry} does not compile`, { cause: error });
  }
  const base64 = Buffer.from(output.get('module.wasm')).toString('base64');
  const text = `// Made by tools/build-wasm.mjs from ${entry}.\nexport const ${name} =\n  '${base64}';\n`;
  const path = join(root, target);
  mkdirSync(dirname(path), { recursive: true });
  if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeFileSync(path, text);
}
