import { DenoiseError } from '@cipherdose/sdk/errors';
import { removeDerived, storedInstances, verifiedInstances } from '../job/derived-series.ts';
import { storeInstance } from '../job/store-instance.ts';
import type { OrthancClient } from '../orthanc/orthanc-client.ts';
import type { DerivedMark, DerivedTarget, ObjectUids } from './derived-target.ts';

/** Series metadata; ids from 1024 on are free for applications. */
const derivedFromMetadata = '5001';

/** An Orthanc, through its REST API: STOW-RS of Orthanc loses objects on a full disk without a word. */
export class OrthancTarget implements DerivedTarget {
  readonly removes = true;
  readonly #orthanc: OrthancClient;

  constructor(orthanc: OrthancClient) {
    this.#orthanc = orthanc;
  }

  get name(): string {
    return this.#orthanc.name;
  }

  async stored(seriesInstanceUid: string): Promise<ReadonlySet<string>> {
    const instances = await storedInstances(this.#orthanc, seriesInstanceUid);
    return new Set(instances.map(({ sopInstanceUid }) => sopInstanceUid));
  }

  verified(seriesInstanceUid: string, written: ReadonlyMap<string, string>): Promise<ReadonlySet<string>> {
    return verifiedInstances(this.#orthanc, seriesInstanceUid, written);
  }

  store(bytes: Uint8Array, _uids: ObjectUids, signal: AbortSignal): Promise<string> {
    return storeInstance(this.#orthanc, bytes, signal);
  }

  remove(seriesInstanceUid: string): Promise<void> {
    return removeDerived(this.#orthanc, seriesInstanceUid);
  }

  async mark(seriesInstanceUid: string, { text }: DerivedMark): Promise<string> {
    const [derived] = await this.#orthanc.lookup(seriesInstanceUid, 'Series');
    if (derived === undefined) throw new DenoiseError('WRITE_UNVERIFIED', { orthanc: this.name });
    await this.#orthanc.setSeriesMetadata(derived, derivedFromMetadata, text);
    if ((await this.#orthanc.capabilities()).labels) await this.#orthanc.setSeriesLabel(derived, 'denoised');
    return derived;
  }
}
