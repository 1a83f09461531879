import { rm } from 'node:fs/promises';
import { buildBundles, bundlesFolder } from './build-bundles.ts';

// Nothing of an older build stays.
await rm(bundlesFolder, { recursive: true, force: true });
await buildBundles();
