import type { BridgeEvents } from './events.ts';

/** Whether Orthancs, host and queue answered last time they were asked. */
export class Peers {
  readonly #reachable = new Map<string, boolean>();
  readonly #events: BridgeEvents;

  constructor(events: BridgeEvents) {
    this.#events = events;
  }

  set(peer: string, reachable: boolean): void {
    if (this.#reachable.get(peer) === reachable) return;
    this.#reachable.set(peer, reachable);
    this.#events.emit('peer', peer, reachable);
  }

  /** By name: `orthanc:NAME`, `host`, `queue`. */
  all(): ReadonlyMap<string, boolean> {
    return this.#reachable;
  }
}
