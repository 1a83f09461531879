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
export const evaluateOnnx = (onnxPath: string, image: HuImage): Float32Array =>
  evaluateAllOnnx([onnxPath], image)[0] as Float32Array;

/** The same for several networks, all of which give an image of the size of theirs. */
export function evaluateAllOnnx(
  onnxPaths: readonly string[],
  { width, height, hu }: HuImage,
): Float32Array[] {
  const size = [String(height), String(width)];
  const input = new Uint8Array(Float32Array.from(hu).buffer);
  const options = { input, maxBuffer: 2 * onnxPaths.length * input.length, env: process.env };
  const child = spawnSync(process.execPath, [compiled, ...size, ...onnxPaths], options);
  if (child.status !== 0) throw new Error(`onnxruntime: ${child.stderr.toString()}`);
  const output = new Float32Array(Uint8Array.from(child.stdout).buffer);
  return onnxPaths.map((_, i) => output.slice(i * hu.length, (i + 1) * hu.length));
}

async function answer(height: number, width: number, onnxPaths: readonly string[]): Promise<void> {
  const input = new Float32Array(Uint8Array.from(await buffer(process.stdin)).buffer);
  for (const path of onnxPaths) {
    const session = await InferenceSession.create(path, { intraOpNumThreads: 1, logSeverityLevel: 3 }).catch(
      (error: unknown) => {
        throw new Error(path, { cause: error });
      },
    );
    const [name] = session.inputNames;
    const output = await session.run({
      [name as string]: new Tensor('float32', input, [1, 1, height, width]),
    });
    const {
      buffer: bytes,
      byteOffset,
      byteLength,
    } = Object.values(output)[0]?.data as Float32Array<ArrayBuffer>;
    process.stdout.write(new Uint8Array(bytes, byteOffset, byteLength));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [height, width, ...onnxPaths] = process.argv.slice(2);
  await answer(Number(height), Number(width), onnxPaths);
}
