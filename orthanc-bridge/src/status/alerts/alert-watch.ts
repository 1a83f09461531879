import type { JobRecord } from '../../store/job-record.ts';

export type AlertKind =
  | 'series-failed'
  | 'series-quarantined'
  | 'peer-down'
  | 'peer-up'
  | 'disk-low'
  | 'disk-ok'
  | 'waiting-long'
  | 'waiting-ok';

/** One thing that somebody should know. No patient data, no DICOM UIDs, no Orthanc ids. */
export interface Alert {
  readonly kind: AlertKind;
  /** For people. */
  readonly text: string;
  readonly job?: string;
  readonly rule?: string;
  readonly code?: string;
  readonly peer?: string;
}

export interface AlertLimits {
  readonly downMinutes: number;
  /** 0: a long wait is never told. */
  readonly waitingMinutes: number;
  readonly diskFreeMegabytes: number;
}

export interface AlertFacts {
  /** Milliseconds that only grow. */
  readonly clock: number;
  readonly freeMegabytes: number;
  readonly longestWaitSeconds: number;
  readonly paused: boolean;
}

/** Decides what is told: every failure once, and every lasting state when it begins and when it ends. No I/O. */
export class AlertWatch {
  readonly #limits: AlertLimits;
  /** Peers that do not answer, since when, and whether that was told. */
  readonly #down = new Map<string, { readonly since: number; told: boolean }>();
  readonly #told = new Set<'disk' | 'waiting'>();

  constructor(limits: AlertLimits) {
    this.#limits = limits;
  }

  job({ id, rule, state, errorCode }: Pick<JobRecord, 'id' | 'rule' | 'state' | 'errorCode'>): Alert[] {
    if (state !== 'failed' && state !== 'quarantined') return [];
    const code = errorCode ?? 'INTERNAL';
    return [{ kind: `series-${state}`, text: `Series ${state}: ${code} (job ${id})`, job: id, rule, code }];
  }

  /** @param clock milliseconds that only grow */
  peer(peer: string, reachable: boolean, clock: number): Alert[] {
    const down = this.#down.get(peer);
    if (!reachable && !down) this.#down.set(peer, { since: clock, told: false });
    if (!reachable || !down) return [];
    this.#down.delete(peer);
    return down.told ? [{ kind: 'peer-up', text: `${peer} answers again`, peer }] : [];
  }

  /** To be called now and then. */
  look({ clock, freeMegabytes, longestWaitSeconds, paused }: AlertFacts): Alert[] {
    const { downMinutes, waitingMinutes, diskFreeMegabytes } = this.#limits;
    const alerts: Alert[] = [];
    for (const [peer, down] of this.#down) {
      if (down.told || clock - down.since < downMinutes * 60_000) continue;
      down.told = true;
      alerts.push({ kind: 'peer-down', text: `${peer} has not answered for ${downMinutes} minutes`, peer });
    }
    const diskLow = freeMegabytes < diskFreeMegabytes;
    if (this.#turned('disk', diskLow))
      alerts.push(
        diskLow
          ? { kind: 'disk-low', text: `Only ${freeMegabytes} MB free; no series starts` }
          : { kind: 'disk-ok', text: `${freeMegabytes} MB free again` },
      );
    const long = waitingMinutes > 0 && !paused && longestWaitSeconds > waitingMinutes * 60;
    if (this.#turned('waiting', long))
      alerts.push(
        long
          ? { kind: 'waiting-long', text: `A series waits for more than ${waitingMinutes} minutes` }
          : { kind: 'waiting-ok', text: 'No series waits for long any more' },
      );
    return alerts;
  }

  #turned(what: 'disk' | 'waiting', on: boolean): boolean {
    if (on === this.#told.has(what)) return false;
    if (on) this.#told.add(what);
    else this.#told.delete(what);
    return true;
  }
}
