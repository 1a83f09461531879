import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { readCtSlice, writeDerivedSlice } from '@cipherdose/sdk/dicom';
import { tags } from '#sdk/dicom/tags.js';
import { attribute, makeCtDicom } from '../support/make-ct.ts';
import { sampleFile } from '../support/sample-files.ts';

const options = {
  model: { id: 'linear', version: '1', digest: '0'.repeat(64) },
  mode: 'linear',
  timestamp: new Date(0),
  softwareVersion: '0.1.0',
};

/** Whatever the bytes: a slice that can be written again, or a DenoiseError. */
function survive(bytes: Uint8Array): void {
  try {
    const slice = readCtSlice(bytes);
    writeDerivedSlice(slice, slice.image, options);
  } catch (error) {
    if (!(error instanceof DenoiseError)) throw error;
    expect(error.code).toMatch(/^DICOM_/);
    expect(error.details['reason']).not.toBe('unexpected');
  }
}

const nested = {
  vr: 'SQ' as const,
  items: [
    new Map([[tags.codeValue, attribute('SH', 'A')]]),
    new Map([[tags.codeMeaning, attribute('LO', 'B')]]),
  ],
};
const small = makeCtDicom({
  ...{ rows: 4, columns: 4, hu: new Int16Array(16), padding: { value: 0, limit: 10 } },
  patch: new Map([[tags.contributingEquipmentSequence, nested]]),
});
const files: readonly (readonly [string, Uint8Array])[] = [
  ['a made-up slice', small],
  ['explicit', sampleFile('ge-small')],
  ['legacy-enhanced', sampleFile('legacy-enhanced')],
  ['implicit', sampleFile('implicit').subarray(0, 8000)],
  ['big-endian', sampleFile('big-endian').subarray(0, 8000)],
  ['deflated', sampleFile('deflated').subarray(0, 8000)],
];
const methods = ['log', 'warn', 'error', 'info', 'debug', 'trace'] as const;

describe.each(files)('%s', (_, file) => {
  // Nothing may be logged: it could be patient data.
  let spies: { readonly mock: { readonly calls: readonly unknown[] } }[] = [];
  beforeEach(() => {
    spies = methods.map((method) => jest.spyOn(console, method).mockReturnValue(undefined));
  });
  afterEach(() => {
    expect(spies.flatMap(({ mock }) => mock.calls)).toEqual([]);
    jest.restoreAllMocks();
  });

  it('cut anywhere', () => {
    const lengths = fc.integer({ min: 0, max: Math.min(file.length, 9000) });
    fc.assert(
      fc.property(lengths, (length) => survive(file.subarray(0, length))),
      { numRuns: 200 },
    );
  });

  it('with flipped bytes', () => {
    const positions = fc.integer({ min: 0, max: Math.min(file.length, 9000) - 1 });
    const flips = fc.array(fc.tuple(positions, fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(flips, (changes) => {
        const damaged = Uint8Array.from(file);
        for (const [position, value] of changes) damaged[position] = value;
        survive(damaged);
      }),
      { numRuns: 200 },
    );
  });
});

it('random bytes behind a DICOM prefix', () => {
  const prefix = Uint8Array.from(small.subarray(0, 132));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
      survive(Uint8Array.of(...prefix, ...bytes));
      survive(bytes);
    }),
  );
});
