import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { evaluateClear } from '@cipherdose/server';
import type { HuImage } from '@cipherdose/sdk/image';
import { loadModel } from '#server/registry/load-model.js';
import { bodyPhantom, type Region } from '../support/phantom.ts';

const models = fileURLToPath(new URL('../../server/models', import.meta.url));
const { image, regions } = bodyPhantom();

const rmse = (output: HuImage, { hu, pixels }: Region): number =>
  Math.sqrt(pixels.reduce((sum, i) => sum + ((output.hu[i] as number) - hu) ** 2, 0) / pixels.length);

/** Largest RMSE of a region, HU. */
const allowed = 2;

test.each(readdirSync(models))('%s leaves a slice without noise as it is', async (id) => {
  const output = evaluateClear(await loadModel(`${models}/${id}/1.0.0`), image);
  const errors = regions.map((region) => ({ region: region.name, rmse: rmse(output, region) }));
  expect(errors.filter(({ rmse }) => rmse > allowed)).toEqual([]);
});
