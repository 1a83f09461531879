import { describe, expect, it } from '@jest/globals';
import {
  DiscResponseMeter,
  evenPlace,
  insertDisc,
  NoisePowerMeter,
  TissueBiasMeter,
} from '@cipherdose/sdk/assessment';
import type { HuImage } from '@cipherdose/sdk/image';
import { integers } from '../../../support/arbitraries.ts';

const side = 160;
const filled = (hu: (x: number, y: number) => number): HuImage => ({
  width: side,
  height: side,
  hu: Int16Array.from({ length: side * side }, (_, i) => hu(i % side, Math.floor(i / side))),
});
const flat = filled(() => 40);

/** Mean over a square of (2 reach + 1)^2 pixels, the image's edge repeated. */
const smoothed = (image: HuImage, reach: number): HuImage =>
  filled((x, y) => {
    let sum = 0;
    for (let dy = -reach; dy <= reach; dy++)
      for (let dx = -reach; dx <= reach; dx++) {
        const row = Math.min(side - 1, Math.max(0, y + dy));
        sum += image.hu[row * side + Math.min(side - 1, Math.max(0, x + dx))] as number;
      }
    return Math.round(sum / (2 * reach + 1) ** 2);
  });

describe('TissueBiasMeter', () => {
  it('takes the classes from the reference', () => {
    const bands = [-800, -100, 40, 700, 3000];
    const reference = filled((_, y) => bands[Math.floor((5 * y) / side)] as number);
    const image = filled(
      (_, y) =>
        (bands[Math.floor((5 * y) / side)] as number) + [5, -3, 0, 7, 99][Math.floor((5 * y) / side)]!,
    );
    const meter = new TissueBiasMeter();
    meter.add(image, reference);
    expect(meter.result()).toEqual({ lung: 5, fat: -3, softTissue: 0, bone: 7 });
  });

  it('finds none where only the reference has noise', () => {
    const next = integers(2);
    const image = filled((x) => (x < 40 ? -850 : x < 80 ? -110 : x < 120 ? 30 : 290));
    const meter = new TissueBiasMeter();
    meter.add(image, { ...image, hu: image.hu.map((hu) => hu + next(-80, 80)) });
    const bias = Object.values(meter.result());
    expect(bias).toHaveLength(4);
    for (const hu of bias) expect(Math.abs(hu as number)).toBeLessThan(2);
  });

  it('says nothing about a class that is not there', () => {
    const meter = new TissueBiasMeter();
    meter.add(flat, flat);
    expect(meter.result()).toEqual({ lung: undefined, fat: undefined, softTissue: 0, bone: undefined });
  });
});

describe('NoisePowerMeter', () => {
  const next = integers(1);
  const noisy = filled(() => 40 + next(-30, 30));
  const spectrum = (image: HuImage, reference = flat) => {
    const meter = new NoisePowerMeter();
    meter.add(image, reference);
    return meter.result();
  };

  it('finds white noise flat and of its own size', () => {
    const white = spectrum(noisy);
    const expected = Math.sqrt((61 ** 2 - 1) / 12);
    expect(white?.regions).toBe(16);
    expect(white?.standardDeviation).toBeGreaterThan(0.95 * expected);
    expect(white?.standardDeviation).toBeLessThan(1.05 * expected);
    const mean = expected ** 2;
    for (const power of white?.power.slice(4) ?? []) {
      expect(power).toBeGreaterThan(0.5 * mean);
      expect(power).toBeLessThan(1.6 * mean);
    }
  });

  it('finds a wave at its frequency', () => {
    const wave = spectrum(filled((x) => 40 + Math.round(50 * Math.sin((2 * Math.PI * x) / 8))));
    const strongest = wave?.power.indexOf(Math.max(...wave.power)) as number;
    expect(wave?.frequencies[strongest]).toBe(1 / 8);
    expect(wave?.meanFrequency).toBeGreaterThan(0.12);
    expect(wave?.meanFrequency).toBeLessThan(0.13);
  });

  it('finds that smoothing leaves less and coarser noise', () => {
    const [before, after] = [spectrum(noisy), spectrum(smoothed(noisy, 1))];
    expect(after?.standardDeviation).toBeLessThan(0.4 * (before?.standardDeviation as number));
    expect(after?.meanFrequency).toBeLessThan(0.6 * (before?.meanFrequency as number));
  });

  it('looks at soft tissue only', () => {
    expect(
      spectrum(
        noisy,
        filled(() => -900),
      ),
    ).toBeUndefined();
    expect(
      spectrum(
        noisy,
        filled((x) => (x < 80 ? 40 : -900)),
      )?.regions,
    ).toBe(4);
  });
});

describe('DiscResponseMeter', () => {
  const disc = { x: 80, y: 80, radius: 12, contrast: 100 };
  const response = (denoise: (image: HuImage) => HuImage) => {
    const meter = new DiscResponseMeter(disc);
    meter.add(denoise(insertDisc(flat, disc)), denoise(flat), disc);
    return meter.result();
  };

  it('finds all of a disc that nothing was done to', () => {
    const untouched = response((image) => image);
    expect(untouched?.contrastKept).toBe(1);
    expect(untouched?.edgeWidth).toBeLessThan(1.2);
  });

  it('finds a blurred edge wider, and the contrast kept', () => {
    const blurred = response((image) => smoothed(image, 3));
    expect(blurred?.contrastKept).toBeGreaterThan(0.98);
    expect(blurred?.edgeWidth).toBeGreaterThan(3);
    expect(blurred?.edgeWidth).toBeLessThan(6);
  });

  it('finds lost contrast, whatever stands behind the disc', () => {
    const half = response((image) =>
      filled((x, y) => 300 + Math.floor((image.hu[y * side + x] as number) / 2)),
    );
    expect(half?.contrastKept).toBe(0.5);
  });

  it('has nothing to say without a disc', () => {
    expect(new DiscResponseMeter(disc).result()).toBeUndefined();
    expect(response(() => flat)).toBeUndefined();
  });
});

describe('evenPlace', () => {
  it('prefers what is even, within soft tissue', () => {
    const next = integers(3);
    const image = filled((x, y) => (x < 30 ? -800 : x > 90 && y > 90 ? 40 : 40 + next(-20, 20)));
    const place = evenPlace(image, 12);
    expect(place?.x).toBeGreaterThan(110);
    expect(place?.y).toBeGreaterThan(110);
    expect(
      evenPlace(
        filled(() => -800),
        12,
      ),
    ).toBeUndefined();
    expect(evenPlace(flat, 60)).toBeUndefined();
  });
});
