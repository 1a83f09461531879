import { frameUid, isEnhancedCt } from '@cipherdose/sdk/dicom';
import { DenoiseError } from '@cipherdose/sdk/errors';
import type { RuleAction } from '../rules/rule-schema.ts';
import { isMadeByUs, itemsOf, numberOf, textOf, type SimplifiedTags } from '../rules/series-facts.ts';
import type { LeftOut } from '../store/job-record.ts';
import { checkSpacing, geometryOf, type SliceGeometry } from './slice-geometry.ts';

/** A slice that is to be denoised. */
export interface SurveyedSlice {
  /** Orthanc's id. */
  readonly instance: string;
  readonly sopInstanceUid: string;
  /** Of a multi-frame object, from 1. */
  readonly frame?: number;
  readonly geometry: SliceGeometry;
}

export interface Survey {
  readonly seriesInstanceUid: string;
  /** In the order of the scan. */
  readonly slices: readonly SurveyedSlice[];
  readonly leftOut: readonly LeftOut[];
}

const ctImageStorage = '1.2.840.10008.5.1.4.1.1.2';
/** Other geometry than the rest: a few are an unlabelled localizer, more are two series in one. */
const strayShare = 0.1;

/**
 * Tells slices from what else stands in a series, and checks that they are whole. Needs no pixels.
 * @param tags by Orthanc id of the instance
 * @throws SERIES_EMPTY, SERIES_MIXED, SERIES_INCOMPLETE, DICOM_ATTRIBUTE_MISSING, DICOM_ATTRIBUTE_INVALID
 */
export function surveySeries(
  tags: Readonly<Record<string, SimplifiedTags>>,
  { gaps, derived }: Pick<RuleAction, 'gaps' | 'derived'>,
): Survey {
  const leftOut: LeftOut[] = [];
  const candidates: SurveyedSlice[] = [];
  for (const [instance, attributes] of Object.entries(tags)) {
    const reason = reasonToLeaveOut(attributes, derived);
    if (reason === undefined) candidates.push(...slicesOf(instance, attributes));
    else leftOut.push({ instance, reason });
  }
  const slices = withoutStrays(candidates, leftOut);
  const seriesInstanceUid = textOf(tags[slices[0]?.instance ?? ''] ?? {}, 'SeriesInstanceUID');
  if (slices.length === 0 || seriesInstanceUid === undefined)
    throw new DenoiseError('SERIES_EMPTY', { leftOut: describe(leftOut) });
  const ordered = [...slices].sort((first, second) => first.geometry.place - second.geometry.place);
  if (gaps === 'quarantine') checkSpacing(ordered.map(({ geometry }) => geometry.place));
  return { seriesInstanceUid, slices: ordered, leftOut };
}

function reasonToLeaveOut(tags: SimplifiedTags, derived: RuleAction['derived']): string | undefined {
  const sopClass = textOf(tags, 'SOPClassUID');
  const multiFrame = isEnhancedCt(sopClass ?? '');
  if (sopClass !== ctImageStorage && !multiFrame) return 'no CT image';
  const imageType = (textOf(tags, 'ImageType') ?? '').split('\\').map((value) => value.trim());
  if (imageType.includes('LOCALIZER')) return 'localizer';
  if (isMadeByUs(tags)) return 'made by CipherDose';
  if (imageType[0] === 'DERIVED' && derived !== 'accept') return 'derived';
  if (!multiFrame && (numberOf(tags, 'NumberOfFrames') ?? 1) !== 1) return 'multi-frame';
  const colour = (numberOf(tags, 'SamplesPerPixel') ?? 1) !== 1;
  return colour || numberOf(tags, 'BitsAllocated') === 8 ? 'screenshot' : undefined;
}

/** One slice, or the frames of a multi-frame object. */
function slicesOf(instance: string, tags: SimplifiedTags): SurveyedSlice[] {
  const { sopInstanceUid } = identityOf(tags);
  if (!isEnhancedCt(textOf(tags, 'SOPClassUID') ?? ''))
    return [{ instance, sopInstanceUid, geometry: geometryOf(tags) }];
  const [shared = {}] = itemsOf(tags, 'SharedFunctionalGroupsSequence');
  return itemsOf(tags, 'PerFrameFunctionalGroupsSequence').map((group, index) => {
    const macros = ['PixelMeasuresSequence', 'PlaneOrientationSequence', 'PlanePositionSequence'].flatMap(
      (name) => [...itemsOf(shared, name), ...itemsOf(group, name)],
    );
    const frame = index + 1;
    const geometry = geometryOf(Object.assign({}, tags, ...macros) as SimplifiedTags);
    return { instance, sopInstanceUid: frameUid(sopInstanceUid, frame), frame, geometry };
  });
}

function identityOf(tags: SimplifiedTags): { sopInstanceUid: string } {
  const sopInstanceUid = textOf(tags, 'SOPInstanceUID');
  if (sopInstanceUid === undefined)
    throw new DenoiseError('DICOM_ATTRIBUTE_MISSING', { attribute: 'SOPInstanceUID' });
  return { sopInstanceUid };
}

/** Moves slices of a rare other geometry to `leftOut`. @throws SERIES_MIXED if they are not rare */
function withoutStrays(candidates: readonly SurveyedSlice[], leftOut: LeftOut[]): readonly SurveyedSlice[] {
  const kinds = Map.groupBy(candidates, ({ geometry }) => geometry.kind);
  const [majority = [], ...others] = [...kinds.values()].sort(
    (first, second) => second.length - first.length,
  );
  const strays = others.flat();
  if (strays.length > candidates.length * strayShare)
    throw new DenoiseError('SERIES_MIXED', { geometries: kinds.size, slices: candidates.length });
  leftOut.push(...strays.map(({ instance }) => ({ instance, reason: 'other geometry' })));
  return majority;
}

function describe(leftOut: readonly LeftOut[]): string {
  const counts = Map.groupBy(leftOut, ({ reason }) => reason);
  return [...counts].map(([reason, instances]) => `${instances.length} ${reason}`).join(', ');
}
