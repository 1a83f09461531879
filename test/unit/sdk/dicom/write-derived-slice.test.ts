import { describe, expect, it } from '@jest/globals';
import { derivedUids, isDenoised, isDerived, readCtSlice, writeDerivedSlice } from '@cipherdose/sdk/dicom';
import type { CtSlice, DerivationOptions } from '@cipherdose/sdk/dicom';
import { attributeText, attributeTexts } from '#sdk/dicom/attributes.js';
import { tags } from '#sdk/dicom/tags.js';
import { attribute, makeCtDicom, type CtObject } from '../../../support/make-ct.ts';
import { denoiseErrorOf } from '../../../support/rejections.ts';
import { sameValues } from '../../../support/same-values.ts';
import { sampleFile } from '../../../support/sample-files.ts';

const options: DerivationOptions = {
  model: { id: 'balanced', version: '1.0.0', digest: 'ab'.repeat(32) },
  mode: 'interactive',
  timestamp: new Date('2026-11-24T03:36:05.250Z'),
  softwareVersion: '0.1.0',
};
const tiny: CtObject = { rows: 2, columns: 2, hu: [-1024, 0, 40, 3071] };
const read = (patch: CtObject['patch'] = new Map()): CtSlice => readCtSlice(makeCtDicom({ ...tiny, patch }));
const derive = (source: CtSlice, change: Partial<DerivationOptions> = {}): CtSlice =>
  readCtSlice(writeDerivedSlice(source, source.image, { ...options, ...change }));
const texts = ({ dataSet }: CtSlice, tag: number) => attributeTexts(dataSet, tag);

describe('writeDerivedSlice', () => {
  it('has its own identity and keeps study and place', () => {
    const source = read();
    const derived = derive(source);
    expect(derived).toMatchObject(derivedUids(source, options.model));
    expect(derived.sopInstanceUid).toMatch(/^2\.25\.[1-9][0-9]{30,38}$/);
    expect(derived.seriesInstanceUid).not.toBe(source.seriesInstanceUid);
    for (const key of ['studyInstanceUid', 'instanceNumber', 'imagePosition', 'imageOrientation'] as const)
      expect(derived[key]).toEqual(source[key]);
    expect(derived.header.imageType).toEqual(['DERIVED', 'SECONDARY', 'AXIAL']);
    expect(derived.header.seriesNumber).toBe(9003);
    expect(texts(derived, tags.seriesDescription)).toEqual(['Chest [denoised]']);
  });

  it('says how and from what it was made', () => {
    const source = read();
    const { dataSet } = derive(source);
    expect(attributeText(dataSet, tags.derivationDescription)).toBe(
      'Noise reduction, model balanced 1.0.0, encrypted inference (interactive), lossless: equal to inference in the clear',
    );
    const [image] = dataSet.get(tags.sourceImageSequence)?.items ?? [];
    expect(attributeText(image ?? new Map(), tags.referencedSopInstanceUid)).toBe(source.sopInstanceUid);
    const [equipment] = dataSet.get(tags.contributingEquipmentSequence)?.items ?? [];
    expect(attributeTexts(equipment ?? new Map(), tags.softwareVersions)).toEqual([
      '0.1.0',
      'model balanced 1.0.0',
    ]);
  });

  it('gives the same bytes for the same input, and other UIDs for another model version', () => {
    const source = read();
    const write = (change: Partial<DerivationOptions>) =>
      writeDerivedSlice(source, source.image, { ...options, ...change });
    expect(write({})).toEqual(write({}));
    const next = derive(source, { model: { ...options.model, version: '1.0.1' } });
    expect(next.sopInstanceUid).not.toBe(derive(source).sopInstanceUid);
  });

  it('follows its options', () => {
    const derived = derive(read(), {
      seriesNumberOffset: 100,
      descriptionSuffix: ' (quiet)',
      imageTypeValue2: 'PRIMARY',
    });
    expect(derived.header).toMatchObject({ imageType: ['DERIVED', 'PRIMARY', 'AXIAL'], seriesNumber: 103 });
    expect(texts(derived, tags.seriesDescription)).toEqual(['Chest (quiet)']);
  });

  it('dates the object in the time zone of the source', () => {
    const derived = derive(read(new Map([[tags.timezoneOffsetFromUtc, attribute('SH', '-0430')]])));
    expect(texts(derived, tags.contentDate)).toEqual(['20261123']);
    expect(texts(derived, tags.seriesTime)).toEqual(['230605']);
    const [equipment] = derived.dataSet.get(tags.contributingEquipmentSequence)?.items ?? [];
    expect(attributeText(equipment ?? new Map(), tags.contributionDateTime)).toBe('20261123230605-0430');
  });

  it('clamps to BitsStored, keeps padding and the bits above the stored ones', () => {
    const words = [0x0000, 0x0010, 0x8010, 0x0fff];
    const source = readCtSlice(makeCtDicom({ rows: 1, columns: 4, words, padding: { value: 0 } }));
    const hu = Int16Array.of(500, -2000, 0, 32767);
    const written = writeDerivedSlice(source, { width: 4, height: 1, hu }, options);
    const derived = readCtSlice(written);
    expect([...derived.image.hu]).toEqual([-1024, -1024, 0, 3071]);
    expect([...(derived.dataSet.get(tags.pixelData)?.value ?? [])]).toEqual([
      0, 0, 0, 0, 0, 0x84, 0xff, 0x0f,
    ]);
  });

  it('drops what the new pixels make untrue, and private attributes unless they are wanted', () => {
    const source = read(
      new Map([
        [0x00090010, attribute('LO', 'SOMEBODY')],
        [0x00091001, attribute('LO', 'private')],
        [tags.smallestImagePixelValue, attribute('US', 0)],
        [tags.largestImagePixelValue, attribute('US', 4095)],
        [tags.iconImageSequence, { vr: 'SQ', items: [new Map([[tags.rows, attribute('US', 1)]])] }],
      ]),
    );
    const { dataSet } = derive(source);
    const gone = [tags.smallestImagePixelValue, tags.largestImagePixelValue, tags.iconImageSequence];
    for (const tag of [...gone, 0x00090010, 0x00091001]) expect(dataSet.has(tag)).toBe(false);
    expect(texts(derive(source, { keepPrivate: true }), 0x00091001)).toEqual(['private']);
  });

  it('appends to the equipment that contributed before', () => {
    const scanner = new Map([[tags.manufacturer, attribute('LO', 'Scanner')]]);
    const source = read(new Map([[tags.contributingEquipmentSequence, { vr: 'SQ', items: [scanner] }]]));
    const equipment = derive(source).dataSet.get(tags.contributingEquipmentSequence)?.items ?? [];
    expect(equipment.map((item) => attributeText(item, tags.manufacturer))).toEqual([
      'Scanner',
      'CipherDose',
    ]);
  });

  it.each(['ge-lightspeed16', 'philips-brilliance16', 'siemens-sensation16', 'big-endian', 'deflated'])(
    'keeps every other attribute of %s byte for byte',
    (name) => {
      const source = readCtSlice(sampleFile(name));
      const derived = derive(source);
      const kept = [...source.dataSet].filter(([tag, { items }]) => !items && derived.dataSet.has(tag));
      const changed = kept.filter(([tag, { value }]) => {
        const now = derived.dataSet.get(tag)?.value ?? new Uint8Array(0);
        return Buffer.compare(value, now) !== 0;
      });
      const allowed = new Set<number>([
        ...[tags.imageType, tags.sopInstanceUid, tags.seriesInstanceUid, tags.seriesNumber],
        ...[tags.seriesDescription, tags.derivationDescription],
        ...[tags.instanceCreationDate, tags.instanceCreationTime, tags.seriesDate, tags.seriesTime],
        ...[tags.contentDate, tags.contentTime],
      ]);
      expect(changed.map(([tag]) => tag).filter((tag) => !allowed.has(tag))).toEqual([]);
      expect(kept.length).toBeGreaterThan(50);
      expect(sameValues(derived.image.hu, source.image.hu)).toBe(true);
      expect(sameValues(derived.image.padding ?? [], source.image.padding ?? [])).toBe(true);
    },
  );

  it('keeps names in any character set byte for byte', () => {
    const file = makeCtDicom({
      ...tiny,
      patch: new Map([[tags.patientName, attribute('PN', 'Yamada^Tarou=XXXXXXXXXXXX')]]),
    });
    const name = Uint8Array.of(0x1b, 0x24, 0x42, 0x3b, 0x33, 0x45, 0x44, 0x1b, 0x28, 0x42, 0x5e, 0xff);
    file.set(name, Buffer.from(file).indexOf('XXXXXXXXXXXX'));
    const written = Buffer.from(writeDerivedSlice(readCtSlice(file), readCtSlice(file).image, options));
    expect(written.includes(Buffer.concat([Buffer.from('Yamada^Tarou='), name]))).toBe(true);
  });

  it('refuses pixels of another size and options that cannot be written', () => {
    const source = read();
    const other = { width: 4, height: 1, hu: new Int16Array(4) };
    const code = (change: Partial<DerivationOptions>) =>
      denoiseErrorOf(() => writeDerivedSlice(source, source.image, { ...options, ...change })).code;
    expect(denoiseErrorOf(() => writeDerivedSlice(source, other, options)).code).toBe('IMAGE_INVALID');
    expect(code({ timestamp: new Date(Number.NaN) })).toBe('DICOM_ATTRIBUTE_INVALID');
    expect(code({ descriptionSuffix: ' [entrauscht\\é]' })).toBe('DICOM_ATTRIBUTE_INVALID');
    expect(code({ seriesNumberOffset: 0.5 })).toBe('DICOM_ATTRIBUTE_INVALID');
  });
});

describe('isDerived, isDenoised', () => {
  it('tell an original, a derived object and one of ours apart', () => {
    const original = read();
    const reformat = read(new Map([[tags.imageType, attribute('CS', 'DERIVED', 'SECONDARY', 'MPR')]]));
    const verdicts = [original, reformat, derive(original)].map((slice) => [
      isDerived(slice),
      isDenoised(slice),
    ]);
    expect(verdicts).toEqual([
      [false, false],
      [true, false],
      [true, true],
    ]);
  });
});
