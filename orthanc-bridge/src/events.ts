import { EventEmitter } from 'node:events';
import type { SeriesProgress } from './job/run-series.ts';
import type { JobRecord } from './store/job-record.ts';

/** What happens in a bridge, as it happens. Nothing here is patient data; Orthanc ids lead to a series for those who may. */
export interface BridgeEventMap {
  /** A job was made or changed its state. */
  job: [job: JobRecord];
  /** A running job got on. */
  progress: [job: string, progress: SeriesProgress];
  /** A series was looked at and no rule takes it. */
  skipped: [orthanc: string, series: string];
  /** An Orthanc, the host or the queue answered (true) or did not (false). */
  peer: [peer: string, reachable: boolean];
  /** Series start no more (true), or again. */
  paused: [paused: boolean];
}

export class BridgeEvents extends EventEmitter<BridgeEventMap> {}
