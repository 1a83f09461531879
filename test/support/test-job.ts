import type { JobRecord } from '@cipherdose/orthanc-bridge';

/** A finished job, unless said otherwise. */
export const testJob = (changes: Partial<JobRecord> = {}): JobRecord => ({
  ...{ id: '0123456789abcdef', orthanc: 'pacs', rule: 'all', model: 'tiny', version: '1.0.0', digest: 'd' },
  series: '11111111-22222222-33333333-44444444-55555555',
  study: '66666666-77777777-88888888-99999999-00000000',
  action: {
    ...{ model: 'tiny', strength: 1, seriesDescriptionSuffix: ' [denoised]', seriesNumberOffset: 9000 },
    ...{
      imageTypeValue2: 'SECONDARY',
      keepPrivateAttributes: false,
      priority: 0,
      gaps: 'quarantine',
      derived: 'skip',
    },
  },
  ...{ derivedSeriesUid: '2.25.1', state: 'done', instances: 4, slices: 4, written: 4, leftOut: [] },
  ...{ derivedOn: new Date(0), queuedOn: new Date(0), startedOn: new Date(1000), finishedOn: new Date(3000) },
  ...{ attempts: 0, runs: 1, worker: undefined, errorCode: undefined, errorDetails: undefined },
  ...{ bytesUp: 10, bytesDown: 20 },
  ...changes,
});
