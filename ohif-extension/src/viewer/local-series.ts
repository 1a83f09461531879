import type { DenoisedSeries } from '../run/denoised-series.ts';
import type { DisplaySet, Instance } from '../ohif.ts';
import { drawThumbnail, waitingThumbnail } from './thumbnail.ts';
import { missing, type Viewer } from './viewer.ts';

const scheme = 'cipherdose';
const air = -1024;

export type LocalKind = 'denoised' | 'difference';

interface LocalImage {
  readonly series: DenoisedSeries;
  readonly kind: LocalKind;
  readonly index: number;
  readonly instance: Instance;
  /** What the viewer was given; filled again in place. */
  pixels?: Int16Array;
}

/** A series in the viewer that is made from memory and fills in while it is looked at. */
export interface LocalSeries {
  readonly displaySet: DisplaySet;
  readonly imageIds: readonly string[];
  /** Draws one slice again, or all. */
  refresh(index?: number): void;
  remove(): void;
}

/** Makes series that stand in the viewer beside those of the archive. */
export interface LocalSeriesMaker {
  add(series: DenoisedSeries, kind: LocalKind, instances: readonly Instance[]): LocalSeries;
  isLocal(displaySet: DisplaySet | undefined): boolean;
  /** Index of a local image in its series. */
  find(imageId: string): { readonly series: DenoisedSeries; readonly index: number } | undefined;
  clear(): void;
}

/** @throws VIEWER_UNSUPPORTED when a series is added to a viewer that keeps its studies elsewhere */
export function localSeriesMaker(viewer: Viewer): LocalSeriesMaker {
  const images = new Map<string, LocalImage>();
  const seriesUids = new Set<string>();
  let registered = false;

  function register(): void {
    if (registered) return;
    registered = true;
    viewer.cornerstone().imageLoader.registerImageLoader(scheme, (imageId) => ({
      promise: Promise.resolve().then(() => makeImage(imageId)),
    }));
  }

  function makeImage(imageId: string): object {
    const image = images.get(imageId);
    if (!image) throw new Error('this result was discarded');
    const { series, kind, index, instance } = image;
    const { rows, columns } = series;
    // The viewer may ask twice for the same image and keep either answer.
    const pixels = (image.pixels ??= new Int16Array(rows * columns));
    if (!series.paint(index, pixels, kind)) pixels.fill(kind === 'denoised' ? air : 0);
    const { utilities, Enums } = viewer.cornerstone();
    const [rowSpacing, columnSpacing] = numbers(instance['PixelSpacing']);
    const [low, high] = kind === 'denoised' ? [-1024, 3071] : [-500, 500];
    return {
      imageId,
      dataType: 'Int16Array',
      minPixelValue: low,
      maxPixelValue: high,
      slope: 1,
      intercept: 0,
      windowCenter: numbers(instance['WindowCenter'])[0] ?? 40,
      windowWidth: numbers(instance['WindowWidth'])[0] ?? 400,
      voiLUTFunction: 'LINEAR',
      imageQualityStatus: Enums.ImageQualityStatus?.FULL_RESOLUTION,
      loadTimeInMS: 0,
      decodeTimeInMS: 0,
      rows,
      columns,
      height: rows,
      width: columns,
      color: false,
      rgba: false,
      numberOfComponents: 1,
      invert: instance['PhotometricInterpretation'] === 'MONOCHROME1',
      photometricInterpretation: instance['PhotometricInterpretation'],
      rowPixelSpacing: rowSpacing ?? 1,
      columnPixelSpacing: columnSpacing ?? 1,
      sizeInBytes: pixels.byteLength,
      getPixelData: () => pixels,
      preScale: { enabled: true, scaled: true, scalingParameters: { rescaleSlope: 1, rescaleIntercept: 0 } },
      voxelManager: utilities.VoxelManager.createImageVoxelManager({
        width: columns,
        height: rows,
        scalarData: pixels,
        numberOfComponents: 1,
      }),
    };
  }

  /** Puts new pixels where the viewer keeps its copies, and draws. */
  function redraw(changed: ReadonlySet<string>): void {
    const { cache } = viewer.cornerstone();
    for (const viewport of viewer.viewports()) {
      const shown = viewport.getCurrentImageId?.();
      const volumes = (viewport.getAllVolumeIds?.() ?? []).flatMap((id) => cache.getVolume(id) ?? []);
      let stale = false;
      for (const volume of volumes)
        volume.imageIds.forEach((imageId, frame) => {
          if (!changed.has(imageId)) return;
          volume.vtkOpenGLTexture?.setUpdatedFrame?.(frame);
          stale = true;
        });
      if (stale) for (const volume of volumes) volume.imageData?.modified();
      else if (volumes.length === 0 && shown !== undefined && changed.has(shown)) {
        const pixels = images.get(shown)?.pixels;
        const image = viewport.getImageData?.()?.imageData;
        const scalars = image?.getPointData().getScalars();
        if (!pixels || !image || !scalars || scalars.getData().length !== pixels.length) continue;
        scalars.getData().set(pixels);
        scalars.modified();
        image.modified();
        stale = true;
      }
      if (stale) viewport.render();
    }
  }

  /** The viewer's cache would keep the pixels until other images need their place. */
  function forget(imageIds: readonly string[]): void {
    for (const imageId of imageIds) {
      images.delete(imageId);
      const { cache } = viewer.cornerstone();
      if (cache.getImageLoadObject(imageId)) cache.removeImageLoadObject(imageId);
    }
  }

  /** Puts a picture of ours into the list of series. The viewer would draw one once, when no slice is there yet. */
  function ownThumbnail(displaySet: DisplaySet): (picture: string) => void {
    let shown = waitingThumbnail();
    Object.defineProperty(displaySet, 'thumbnailSrc', {
      get: () => shown,
      set: () => undefined,
      enumerable: true,
      configurable: true,
    });
    return (picture) => {
      shown = picture;
      const { displaySetService } = viewer.services;
      const { EVENTS, activeDisplaySets } = displaySetService;
      // Without it the list is drawn again when something else changes.
      if (EVENTS?.DISPLAY_SETS_CHANGED !== undefined && activeDisplaySets)
        displaySetService._broadcastEvent?.(EVENTS.DISPLAY_SETS_CHANGED, activeDisplaySets);
    };
  }

  return {
    add(series, kind, instances) {
      register();
      const { displaySetService, hangingProtocolService } = viewer.services;
      const [first] = instances;
      const study = hangingProtocolService.studies?.find(
        ({ StudyInstanceUID }) => StudyInstanceUID === first?.['StudyInstanceUID'],
      );
      if (!study?.addInstancesToSeries) missing('the studies of the hanging protocol service');
      const seriesUid = randomUid();
      const local = instances.map((source) => derive(source, series, kind, seriesUid));
      const imageIds = local.map(({ imageId }) => String(imageId));
      local.forEach((instance, index) => {
        images.set(String(instance['imageId']), { series, kind, index, instance });
      });
      seriesUids.add(seriesUid);
      study.addInstancesToSeries(local);
      displaySetService.makeDisplaySets(local, { madeInClient: true });
      const [displaySet] = displaySetService.getDisplaySetsForSeries(seriesUid);
      if (!displaySet) missing('display sets made in the viewer');
      const thumbnail = ownThumbnail(displaySet);
      const window: readonly [number, number] = kind === 'denoised' ? [40, 400] : [0, 100];
      let pictured: number | undefined;
      function picture(index: number): void {
        // The first slice that is there stays: each new picture makes the viewer draw its whole list.
        if (pictured !== undefined && index !== pictured) return;
        const pixels = new Int16Array(series.rows * series.columns);
        if (!series.paint(index, pixels, kind)) return;
        pictured = index;
        thumbnail(drawThumbnail(pixels, series.rows, series.columns, window));
      }
      series.slices.forEach((_slice, index) => picture(index));
      return {
        displaySet,
        imageIds,
        refresh(index) {
          const changed = index === undefined ? imageIds : imageIds.slice(index, index + 1);
          for (const imageId of changed) {
            const image = images.get(imageId);
            if (image?.pixels) series.paint(image.index, image.pixels, kind);
          }
          redraw(new Set(changed));
          picture(index ?? pictured ?? 0);
        },
        remove() {
          displaySetService.deleteDisplaySet(displaySet.displaySetInstanceUID);
          forget(imageIds);
        },
      };
    },
    isLocal: (displaySet) => displaySet !== undefined && seriesUids.has(displaySet.SeriesInstanceUID),
    find: (imageId) => images.get(imageId),
    clear() {
      forget([...images.keys()]);
      seriesUids.clear();
    },
  };
}

/**
 * The attributes of a slice in memory: those of its source under another identity. Only DICOM keywords are taken: a
 * copied image id of the source would show the source's pixels as the result.
 */
function derive(source: Instance, series: DenoisedSeries, kind: LocalKind, seriesUid: string): Instance {
  const kept = Object.entries(source).filter(
    ([keyword]) => /^[A-Z]/.test(keyword) && keyword !== 'PixelData',
  );
  const sopInstanceUid = randomUid();
  const address = `studyUID=${String(source['StudyInstanceUID'])}&seriesUID=${seriesUid}&objectUID=${sopInstanceUid}`;
  // OHIF finds the attributes of an image by the UIDs in an id of this form.
  const imageId = `${scheme}:?requestType=WADO&${address}`;
  const name = `${series.model.id} ${series.model.version}`;
  const type = source['ImageType'];
  return {
    ...Object.fromEntries(kept),
    SOPInstanceUID: sopInstanceUid,
    SeriesInstanceUID: seriesUid,
    SeriesNumber: Number(source['SeriesNumber'] ?? 0) + (kind === 'denoised' ? 9000 : 9500),
    SeriesDescription: `${kind === 'denoised' ? 'Denoised' : 'Difference'} (${name}), not saved: ${series.description}`,
    ImageType: ['DERIVED', 'SECONDARY', ...(Array.isArray(type) ? (type as unknown[]).slice(2) : ['AXIAL'])],
    ...(kind === 'difference' ? { WindowCenter: 0, WindowWidth: 100 } : {}),
    RescaleSlope: 1,
    RescaleIntercept: 0,
    BitsAllocated: 16,
    BitsStored: 16,
    HighBit: 15,
    PixelRepresentation: 1,
    imageId,
    url: imageId,
  };
}

/** `2.25.` and a random UUID as a decimal number, PS3.5 annex B.2 */
const randomUid = (): string => `2.25.${BigInt(`0x${crypto.randomUUID().replaceAll('-', '')}`)}`;

const numbers = (value: unknown): readonly number[] =>
  (Array.isArray(value) ? (value as unknown[]) : value === undefined ? [] : [value]).map(Number);
