import type { DisplaySet, Instance } from '../ohif.ts';

const ctImageStorage = '1.2.840.10008.5.1.4.1.1.2';
const largestSide = 4096;

const list = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];

/** The attributes of every slice of a display set. */
export const instancesOf = (displaySet: DisplaySet): readonly Instance[] =>
  displaySet.instances ?? displaySet.images ?? [];

/**
 * Why a series cannot be denoised, as the viewer's metadata tell it; undefined if it can be. What only the pixels tell
 * comes out when a slice is read.
 */
export function refusalReason(displaySet: DisplaySet | undefined, maxSlices: number): string | undefined {
  if (!displaySet) return 'Open a CT series first.';
  const instances = instancesOf(displaySet);
  const [first] = instances;
  if (displaySet.Modality !== 'CT') return 'Only CT can be denoised; this series is something else.';
  if (!first) return 'This series has no images.';
  const sopClass = String(first['SOPClassUID'] ?? displaySet.SOPClassUID ?? '');
  if (sopClass.startsWith(`${ctImageStorage}.`) || Number(first['NumberOfFrames'] ?? 1) > 1)
    return 'Multi-frame CT cannot be denoised yet; ask for single-frame images.';
  if (sopClass !== ctImageStorage) return 'Only CT images can be denoised; this series is something else.';
  if (instances.some(isDenoised)) return 'This series is denoised already; open the original.';
  if (instances.every((instance) => list(instance['ImageType'])[2] === 'LOCALIZER'))
    return 'Localizers cannot be denoised; open an axial series.';
  if (Number(first['SamplesPerPixel'] ?? 1) !== 1) return 'Colour images cannot be denoised.';
  if (Number(first['BitsAllocated'] ?? 16) !== 16) return 'Only images of 16 bits a pixel can be denoised.';
  if (Number(list(first['RescaleSlope'])[0] ?? 1) !== 1)
    return 'The pixel values of this series are not whole Hounsfield units.';
  if (Number(first['Rows']) > largestSide || Number(first['Columns']) > largestSide)
    return `Images of more than ${largestSide} x ${largestSide} pixels cannot be denoised.`;
  if (instances.length > maxSlices)
    return `This series has ${instances.length} slices; at most ${maxSlices} can be denoised.`;
  return undefined;
}

/** Made by the writer of derived slices. */
const isDenoised = (instance: Instance): boolean =>
  list(instance['ContributingEquipmentSequence']).some(
    (equipment) => (equipment as Instance | undefined)?.['ManufacturerModelName'] === 'CipherDose',
  );
