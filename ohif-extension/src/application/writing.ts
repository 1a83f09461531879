import type { ApplicationState, ResultView } from '../application-state.ts';
import type { Store } from '../run/store.ts';
import { saveSeries, zipSeries, type WriteOptions } from '../save/save-series.ts';
import type { AdminSettings } from '../settings/admin-settings.ts';
import type { Viewer } from '../viewer/viewer.ts';
import type { Notices } from './notices.ts';

/** Results as DICOM objects, in the archive or as a file. */
export interface Writing {
  save(result: ResultView | undefined, descriptionSuffix: string): Promise<void>;
  download(result: ResultView | undefined): Promise<void>;
  cancel(): void;
}

export function createWriting(
  viewer: Viewer,
  admin: AdminSettings,
  notices: Notices,
  state: Store<ApplicationState>,
): Writing {
  let writing: AbortController | undefined;

  async function write<T>(
    what: string,
    result: ResultView | undefined,
    descriptionSuffix: string,
    work: (options: WriteOptions) => Promise<T>,
  ): Promise<T | undefined> {
    if (!result || writing || !result.series.writable) return undefined;
    const { series } = result;
    const own = (writing = new AbortController());
    state.set({ failure: undefined, writing: { what, written: 0, total: series.count('done') } });
    try {
      return await work({
        series,
        archive: viewer.archive(),
        description: { descriptionSuffix, seriesNumberOffset: admin.seriesNumberOffset },
        signal: own.signal,
        onProgress: (written, total) => state.set({ writing: { what, written, total } }),
      });
    } catch (error) {
      notices.fail(error);
      return undefined;
    } finally {
      writing = undefined;
      state.set({ writing: undefined, results: [...state.get().results] });
    }
  }

  return {
    async save(result, descriptionSuffix) {
      await write('Saving', result, descriptionSuffix, async (options) => {
        await saveSeries(options);
        const study = options.series.slices[0]?.address.studyInstanceUid ?? '';
        viewer.dataSource().deleteStudyMetadataPromise?.(study);
        state.set({ announcement: 'Saved, and read back from the archive.' });
      });
    },
    async download(result) {
      const archive = await write('Preparing download', result, admin.descriptionSuffix, zipSeries);
      if (archive) offerDownload(archive, 'denoised.zip');
    },
    cancel: () => writing?.abort(),
  };
}

function offerDownload(content: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The download has its own hold on the data once it has started.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
