import { afterAll, expect, test } from '@jest/globals';
import { build, stop } from 'esbuild';
import { fileURLToPath } from 'node:url';
import type { ActivationLiteral } from '#sdk/two-party/index.js';
import { launchChromium } from '../support/chromium.ts';
import { digestTranscript } from '../support/two-party-digest.ts';

const literal: ActivationLiteral = {
  accumulatorBits: 20,
  shift: 8,
  clampBits: 8,
  outputBits: 25,
  rounding: 'half-up',
};

afterAll(() => stop());

test.each([4, 8] as const)(
  'a worker of a browser says the same as Node, byte for byte: k = %p',
  async (k) => {
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL('../dist/support/two-party-worker.js', import.meta.url))],
      bundle: true,
      write: false,
      platform: 'browser',
      format: 'iife',
      target: 'es2022',
    });
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      const digest = await page.evaluate(
        async ([code, question]) => {
          const worker = new Worker(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })));
          return new Promise<string>((resolve, reject) => {
            worker.onmessage = ({ data }: MessageEvent<string>) => resolve(data);
            worker.onerror = ({ message }) => reject(new Error(message));
            worker.postMessage(question);
          });
        },
        [outputFiles[0]?.text ?? '', [k, literal]] as const,
      );
      expect(digest).toBe(digestTranscript(k, literal));
    } finally {
      await browser.close();
    }
  },
);
