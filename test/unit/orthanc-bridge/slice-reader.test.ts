import { afterAll, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { tags } from '#sdk/dicom/tags.js';
import { SliceReader } from '#bridge/pixels/slice-reader.js';
import { toNativeSyntax } from '@cipherdose/sdk/pixels';
import { readCtSlice } from '@cipherdose/sdk/dicom';
import { sampleFile } from '../../support/sample-files.ts';

const reader = new SliceReader();
afterAll(() => reader.close());

const expected = readCtSlice(sampleFile('implicit')).image.hu;
const compressed = ['rle', 'jpeg-ls', 'jpeg-2000', 'jpeg-lossless-57', 'jpeg-lossless-70'];

describe('compressed slices', () => {
  // jpeg-lossless-70 is one that the decoder alone gets wrong in its last pixel.
  test.each(compressed)('%s has the pixels of the uncompressed file', async (name) => {
    expect((await reader.read(sampleFile(name))).image.hu).toEqual(expected);
  });

  test.each(compressed)('%s that ends early is refused', async (name) => {
    const file = sampleFile(name);
    // The length of the last fragment stays; what it holds is lost, as if a transfer broke off.
    const broken = file.slice();
    broken.fill(0, file.length - 40_000, file.length - 8);
    await expect(reader.read(broken)).rejects.toMatchObject({ code: 'DICOM_DECODE' });
  });

  // What other programs decode: pydicom with Pillow's OpenJPEG, and dcmdjpls of DCMTK with CharLS.
  test.each([
    ['jpeg-2000-lossy', 'ca3472c2d32b272f041d11868d17e58325ae8928fab94964fc486297a228436d'],
    ['jpeg-ls-near', '9595c2a8a59647d6b8e4445486984c615b2ac99085eca0d18988bec429ebd6b8'],
  ])('%s has the words that the reference decoder gives', async (name, digest) => {
    const { dataSet } = await reader.read(sampleFile(name));
    const words = dataSet.get(tags.pixelData)?.value ?? new Uint8Array(0);
    expect(createHash('sha256').update(words).digest('hex')).toBe(digest);
  });

  test.each([
    ['jpeg-extended', 'JPEG Extended'],
    ['jpeg-spectral', 'JPEG Spectral Selection'],
    ['jpeg-progressive', 'JPEG Full Progression'],
    ['jpeg-baseline', 'JPEG Baseline'],
  ])('%s is refused by name', async (name, syntax) => {
    await expect(reader.read(sampleFile(name))).rejects.toMatchObject({
      code: 'DICOM_COMPRESSED',
      details: { name: syntax },
    });
  });

  test('damaged at random never crash anything', async () => {
    const file = sampleFile('jpeg-ls');
    for (let trial = 0; trial < 40; trial++) {
      const damaged = file.slice();
      for (let hit = 0; hit < 5; hit++)
        damaged[(trial * 7919 + hit * 104_729) % 4000] = (trial * 31 + hit) & 0xff;
      await toNativeSyntax(damaged)
        .then(readCtSlice)
        .catch((error: unknown) => {
          expect(error).toMatchObject({ name: 'DenoiseError' });
        });
    }
  });
});
