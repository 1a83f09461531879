/** What rules look at. Text is as the scanner wrote it; undefined where it wrote nothing. */
export interface SeriesFacts {
  readonly modality: string | undefined;
  readonly bodyPart: string | undefined;
  readonly manufacturer: string | undefined;
  readonly model: string | undefined;
  /** Values of a multi-valued kernel are joined by a backslash. */
  readonly kernel: string | undefined;
  readonly protocol: string | undefined;
  readonly seriesDescription: string | undefined;
  readonly sourceAet: string | undefined;
  /** Millimetres. */
  readonly sliceThickness: number | undefined;
  readonly kvp: number | undefined;
  readonly mas: number | undefined;
  readonly instances: number;
  readonly imageType: readonly string[];
  /** Contributing equipment names CipherDose. */
  readonly madeByUs: boolean;
}

/** Attributes by keyword, as Orthanc's `simplified-tags` gives them. */
export type SimplifiedTags = Readonly<Record<string, unknown>>;

/** @param tags of the first instance. */
export function seriesFacts(
  tags: SimplifiedTags,
  instances: number,
  sourceAet: string | undefined,
): SeriesFacts {
  return {
    modality: textOf(tags, 'Modality'),
    bodyPart: textOf(tags, 'BodyPartExamined'),
    manufacturer: textOf(tags, 'Manufacturer'),
    model: textOf(tags, 'ManufacturerModelName'),
    kernel: textOf(tags, 'ConvolutionKernel'),
    protocol: textOf(tags, 'ProtocolName'),
    seriesDescription: textOf(tags, 'SeriesDescription'),
    sourceAet: sourceAet || undefined,
    sliceThickness: numberOf(tags, 'SliceThickness'),
    kvp: numberOf(tags, 'KVP'),
    mas: numberOf(tags, 'Exposure'),
    instances,
    imageType: (textOf(tags, 'ImageType') ?? '').split('\\').map((value) => value.trim()),
    madeByUs: isMadeByUs(tags),
  };
}

export function textOf(tags: SimplifiedTags, keyword: string): string | undefined {
  const value = tags[keyword];
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

export function numberOf(tags: SimplifiedTags, keyword: string): number | undefined {
  const text = textOf(tags, keyword);
  return text !== undefined && Number.isFinite(Number(text)) ? Number(text) : undefined;
}

/** Whether contributing equipment names CipherDose. */
export const isMadeByUs = (tags: SimplifiedTags): boolean =>
  itemsOf(tags, 'ContributingEquipmentSequence').some(
    (item) => textOf(item, 'ManufacturerModelName') === 'CipherDose',
  );

/** @returns the items of a sequence; none if it is not there. */
export function itemsOf(tags: SimplifiedTags, keyword: string): readonly SimplifiedTags[] {
  const items = tags[keyword];
  return Array.isArray(items) ? items.filter((item) => typeof item === 'object' && item !== null) : [];
}
