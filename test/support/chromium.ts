import { chromium, type Browser } from 'playwright-core';
import { requireDebian } from './debian-packages.ts';

/** Debian's Chromium, headless, with nothing that calls out. @param webgl in software @throws Error if it cannot be had */
export async function launchChromium({ webgl = false } = {}): Promise<Browser> {
  requireDebian(['chromium']);
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    headless: true,
    args: [
      '--no-sandbox',
      ...(webgl
        ? [
            '--disable-gpu-sandbox',
            '--use-gl=angle',
            '--use-angle=swiftshader',
            '--enable-unsafe-swiftshader',
            '--ignore-gpu-blocklist',
            // The page itself without WebGL: through a GPU that is software it took five times as long to draw.
            '--disable-gpu-compositing',
          ]
        : ['--disable-gpu']),
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
      '--disable-dev-shm-usage',
    ],
  });
}
