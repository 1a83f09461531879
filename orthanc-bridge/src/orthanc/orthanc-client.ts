import { createHash } from 'node:crypto';
import type { Agent } from 'undici';
import { DenoiseError } from '@cipherdose/sdk/errors';
import type { OrthancConfig } from '../config/config-schema.ts';
import {
  changesSchema,
  instancesTagsSchema,
  lookupSchema,
  parentsSchema,
  seriesInstancesSchema,
  seriesListSchema,
  seriesSchema,
  studySchema,
  systemSchema,
  tagsSchema,
  uploadSchema,
  type Changes,
  type OrthancSeries,
  type OrthancStudy,
  type Upload,
} from './answers.ts';
import { httpAgent } from './http-agent.ts';
import { OrthancHttp } from './orthanc-http.ts';

/** What this Orthanc can do beyond version 1.10. */
export interface OrthancCapabilities {
  readonly name: string;
  readonly version: string;
  readonly labels: boolean;
  /** `/changes?type=` */
  readonly changesByType: boolean;
}

/** Most changes asked for at once. */
const changesPage = 200;

/** One Orthanc. Every method throws the ORTHANC_* codes; `SERIES_GONE` where a resource is not there. */
export class OrthancClient {
  readonly name: string;
  readonly #http: OrthancHttp;
  readonly #agent: Agent;

  private constructor(config: OrthancConfig, agent: Agent) {
    this.name = config.name;
    this.#agent = agent;
    this.#http = new OrthancHttp(config, agent);
  }

  /** Does not connect yet. @throws FILE_UNREADABLE if the CA file cannot be read. */
  static async create(config: OrthancConfig): Promise<OrthancClient> {
    return new OrthancClient(config, await httpAgent(config));
  }

  async capabilities(): Promise<OrthancCapabilities> {
    const { Name, Version, HasLabels, Capabilities } = await this.#http.json('/system', systemSchema);
    return {
      name: Name,
      version: Version,
      labels: HasLabels ?? false,
      changesByType: Capabilities?.HasExtendedChanges ?? false,
    };
  }

  /** Number of the newest change. */
  async lastChange(): Promise<number> {
    return (await this.#http.json('/changes?last', changesSchema)).Last;
  }

  /** Changes after `since`, oldest first. `types` is a hint that only newer versions understand. */
  changes(since: number, types?: readonly string[]): Promise<Changes> {
    const filter = types === undefined ? '' : `&type=${types.join(';')}`;
    return this.#http.json(`/changes?since=${since}&limit=${changesPage}${filter}`, changesSchema);
  }

  series(id: string): Promise<OrthancSeries> {
    return this.#http.json(`/series/${id}`, seriesSchema);
  }

  /** @returns undefined if the series is not there. */
  async findSeries(id: string): Promise<OrthancSeries | undefined> {
    return this.series(id).catch(ignoreGone);
  }

  /** CT series, `limit` at a time. */
  listCtSeries(since: number, limit: number): Promise<OrthancSeries[]> {
    const body = JSON.stringify({
      Level: 'Series',
      Query: { Modality: 'CT' },
      Expand: true,
      Since: since,
      Limit: limit,
    });
    return this.#http.json('/tools/find', seriesListSchema, { method: 'POST', body });
  }

  /** The series that hold these instances; instances that are gone are left out. */
  async seriesOfInstances(instances: readonly string[]): Promise<string[]> {
    const body = JSON.stringify({ Resources: instances, Level: 'Series', Metadata: false });
    const parents = await this.#http.json('/tools/bulk-content', parentsSchema, { method: 'POST', body });
    return parents.map(({ ID }) => ID);
  }

  /** @returns instances in no order; `number` is the Instance Number, 0 where there is none. */
  async seriesInstances(id: string): Promise<{ id: string; sopInstanceUid: string; number: number }[]> {
    const instances = await this.#http.json(`/series/${id}/instances`, seriesInstancesSchema);
    return instances.map(({ ID, MainDicomTags: { SOPInstanceUID, InstanceNumber } }) => ({
      id: ID,
      sopInstanceUid: SOPInstanceUID,
      number: Number(InstanceNumber) || 0,
    }));
  }

  study(id: string): Promise<OrthancStudy> {
    return this.#http.json(`/studies/${id}`, studySchema);
  }

  instanceTags(id: string): Promise<Record<string, unknown>> {
    return this.#http.json(`/instances/${id}/simplified-tags`, tagsSchema);
  }

  /** Tags of every instance of a series, by Orthanc id of the instance. */
  seriesTags(id: string): Promise<Record<string, Record<string, unknown>>> {
    return this.#http.json(`/series/${id}/instances-tags?simplify`, instancesTagsSchema);
  }

  async instanceFile(id: string, signal?: AbortSignal): Promise<Uint8Array> {
    return (await this.#http.send(`/instances/${id}/file`, { signal })).bytes;
  }

  /** @returns the text of one metadatum, undefined if there is none. */
  async metadata(level: 'series' | 'instances', id: string, name: string): Promise<string | undefined> {
    const { status, bytes } = await this.#http.send(`/${level}/${id}/metadata/${name}`, { fine: [404] });
    return status === 404 ? undefined : Buffer.from(bytes).toString('utf8');
  }

  async setSeriesMetadata(id: string, name: string, value: string): Promise<void> {
    await this.#http.send(`/series/${id}/metadata/${name}`, {
      method: 'PUT',
      body: value,
      contentType: 'text/plain',
    });
  }

  async setSeriesLabel(id: string, label: string): Promise<void> {
    await this.#http.send(`/series/${id}/labels/${label}`, { method: 'PUT', body: '' });
  }

  /** Stores one object. Never by STOW-RS: on a full disk that answers 200 and stores nothing. */
  async upload(bytes: Uint8Array, signal?: AbortSignal): Promise<Upload> {
    return this.#http.json('/instances', uploadSchema, {
      method: 'POST',
      body: bytes,
      contentType: 'application/dicom',
      signal,
    });
  }

  /** @returns the MD5 of the stored file, hexadecimal; undefined if the instance is not there. */
  async instanceMd5(id: string): Promise<string | undefined> {
    const path = `/instances/${id}/attachments/dicom/md5`;
    const { status, bytes } = await this.#http.send(path, { fine: [404] });
    return status === 404 ? undefined : Buffer.from(bytes).toString('utf8').trim();
  }

  /** @returns Orthanc ids of the series or instances with this UID. */
  async lookup(uid: string, type: 'Series' | 'Instance'): Promise<string[]> {
    const found = await this.#http.json('/tools/lookup', lookupSchema, { method: 'POST', body: uid });
    return found.filter((resource) => resource.Type === type).map(({ ID }) => ID);
  }

  /** Removes a resource; one that is not there is fine. */
  async remove(level: 'series' | 'instances', id: string): Promise<void> {
    await this.#http.send(`/${level}/${id}`, { method: 'DELETE', fine: [404] });
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

/** MD5 as Orthanc reports it; a checksum against mishaps, not a protection. */
export const md5Of = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');

function ignoreGone(error: unknown): undefined {
  if (error instanceof DenoiseError && error.code === 'SERIES_GONE') return undefined;
  throw error;
}
