import { spawnSync } from 'node:child_process';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { HuImage } from '@cipherdose/sdk/image';

const compiled = fileURLToPath(new URL('../dist/support/onnx-reference.js', import.meta.url));

/**
 * What onnxruntime makes of an image, in HU, not rounded. It runs in a process of its own: inside jest typed arrays are
 * of another realm, which it refuses.
 */
export function evaluateOnnx(onnxPath: string, { width, height, hu }: HuImage): Float32Array {
  const size = [String(height), String(width)];
  const input = new Uint8Array(Float32Array.from(hu).buffer);
  const options = { input, maxBuffer: 2 * input.length, env: process.env };
  const child = spawnSync(process.execPath, [compiled, onnxPath, ...size], options);
  if (child.status !== 0) throw new Error(`onnxruntime: ${child.stderr.toString()}`);
  return new Float32Array(Uint8Array.from(child.stdout).buffer);
}

async function answer(onnxPath: string, height: number, width: number): Promise<void> {
  const input = new Float32Array(Uint8Array.from(await buffer(process.stdin)).buffer);
  const session = await InferenceSession.create(onnxPath, { intraOpNumThreads: 1 });
  const [name] = session.inputNames;
  const output = await session.run({ [name as string]: new Tensor('float32', input, [1, 1, height, width]) });
  const {
    buffer: bytes,
    byteOffset,
    byteLength,
  } = Object.values(output)[0]?.data as Float32Array<ArrayBuffer>;
  process.stdout.write(new Uint8Array(bytes, byteOffset, byteLength));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [onnxPath, height, width] = process.argv.slice(2);
  await answer(onnxPath as string, Number(height), Number(width));
}
