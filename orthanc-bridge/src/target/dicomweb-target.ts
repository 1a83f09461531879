import { randomUUID } from 'node:crypto';
import type { Agent } from 'undici';
import { z } from 'zod';
import { readCtSlice } from '@cipherdose/sdk/dicom';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { toNativeSyntax } from '@cipherdose/sdk/pixels';
import type { DicomwebConfig } from '../config/config-schema.ts';
import { httpAgent } from '../orthanc/http-agent.ts';
import { md5Of } from '../orthanc/orthanc-client.ts';
import { OrthancHttp } from '../orthanc/orthanc-http.ts';
import type { DerivedTarget, ObjectUids } from './derived-target.ts';
import { firstPart, multipartBody } from './multipart.ts';

const uidValue = z.object({ Value: z.array(z.string()).min(1) });
const sopInstanceUid = '00080018';
const studyInstanceUid = '0020000D';
const referencedSopSequence = '00081199';
const referencedSopInstanceUid = '00081155';

const instancesSchema = z.array(z.object({ [sopInstanceUid]: uidValue }));
const seriesSchema = z.array(z.object({ [studyInstanceUid]: uidValue }));
const failedSopSequence = '00081198';
/** PS3.4 table B.2-1 and PS3.18 section I.2 */
const failureReason = '00081197';

const storedSchema = z.object({
  [failedSopSequence]: z
    .object({
      Value: z
        .array(z.object({ [failureReason]: z.object({ Value: z.array(z.int()).min(1) }).optional() }))
        .optional(),
    })
    .optional(),
  [referencedSopSequence]: z
    .object({ Value: z.array(z.object({ [referencedSopInstanceUid]: uidValue })).optional() })
    .optional(),
});

const page = 500;

/**
 * Any archive with STOW-RS, QIDO-RS and WADO-RS (PS3.18). An answer to STOW-RS is not believed: each object is read back
 * and compared. DELETE is no part of the standard, but many archives have it.
 */
export class DicomwebTarget implements DerivedTarget {
  readonly name: string;
  readonly removes = false;
  readonly #http: OrthancHttp;
  readonly #agent: Agent;

  private constructor(config: DicomwebConfig, agent: Agent) {
    this.name = config.name;
    this.#agent = agent;
    this.#http = new OrthancHttp(config, agent);
  }

  /** Does not connect yet. @throws FILE_UNREADABLE if the CA file cannot be read. */
  static async create(config: DicomwebConfig): Promise<DicomwebTarget> {
    return new DicomwebTarget(config, await httpAgent(config));
  }

  async stored(seriesInstanceUid: string): Promise<ReadonlySet<string>> {
    const found = new Set<string>();
    for (let offset = 0; ; offset += page) {
      const query = `/instances?SeriesInstanceUID=${seriesInstanceUid}&limit=${page}&offset=${offset}`;
      const instances = await this.#query(query, instancesSchema);
      const before = found.size;
      for (const { [sopInstanceUid]: uid } of instances) found.add(uid.Value[0] as string);
      // A server that knows no offset sends the same again.
      if (instances.length < page || found.size === before) return found;
    }
  }

  async verified(
    seriesInstanceUid: string,
    written: ReadonlyMap<string, string>,
  ): Promise<ReadonlySet<string>> {
    if (written.size === 0) return new Set();
    const stored = await this.stored(seriesInstanceUid);
    return new Set([...written.keys()].filter((uid) => stored.has(uid)));
  }

  async store(bytes: Uint8Array, uids: ObjectUids, signal: AbortSignal): Promise<string> {
    const boundary = `cipherdose-${randomUUID()}`;
    const answer = await this.#http.json('/studies', storedSchema, {
      ...{ method: 'POST', body: multipartBody(bytes, boundary), signal },
      contentType: `multipart/related; type="application/dicom"; boundary=${boundary}`,
      accept: dicomJson,
    });
    const stored = answer[referencedSopSequence]?.Value ?? [];
    const { studyInstanceUid: study, seriesInstanceUid: series, sopInstanceUid: object } = uids;
    if (!stored.some((item) => item[referencedSopInstanceUid].Value[0] === object)) {
      const reason = answer[failedSopSequence]?.Value?.[0]?.[failureReason]?.Value[0];
      // Orthanc names neither what it stored nor what it did not when its disk is full.
      const full = reason === undefined || (reason >= 0xa700 && reason <= 0xa7ff);
      throw new DenoiseError(full ? 'ORTHANC_STORAGE_FULL' : 'WRITE_UNVERIFIED', {
        ...{ orthanc: this.name, status: 200, failureReason: reason },
      });
    }
    const { bytes: body } = await this.#http.send(`/studies/${study}/series/${series}/instances/${object}`, {
      accept: 'multipart/related; type="application/dicom"; transfer-syntax=*',
      signal,
    });
    if (!(await isSame(bytes, firstPart(body))))
      throw new DenoiseError('WRITE_UNVERIFIED', { orthanc: this.name, reason: 'other pixels' });
    return md5Of(bytes);
  }

  async remove(seriesInstanceUid: string): Promise<void> {
    for (const series of await this.#query(`/series?SeriesInstanceUID=${seriesInstanceUid}`, seriesSchema)) {
      const study = series[studyInstanceUid].Value[0] as string;
      await this.#http.send(`/studies/${study}/series/${seriesInstanceUid}`, {
        method: 'DELETE',
        fine: [404],
      });
    }
  }

  async mark(seriesInstanceUid: string): Promise<string> {
    const stored = await this.stored(seriesInstanceUid);
    if (stored.size === 0) throw new DenoiseError('WRITE_UNVERIFIED', { orthanc: this.name });
    return seriesInstanceUid;
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  /** Nothing found is 204 or an empty list. */
  async #query<T extends z.ZodArray>(path: string, schema: T): Promise<z.infer<T>> {
    const { status, bytes } = await this.#http.send(path, { accept: dicomJson, fine: [404] });
    if (status !== 200 || bytes.length === 0) return [] as z.infer<T>;
    try {
      return schema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
    } catch {
      throw new DenoiseError('ORTHANC_RESPONSE', { orthanc: this.name, reason: 'not the expected answer' });
    }
  }
}

const dicomJson = 'application/dicom+json';

/** Archives may compress and correct attributes; what counts is the object and its pixels. */
async function isSame(sent: Uint8Array, read: Uint8Array): Promise<boolean> {
  if (Buffer.compare(sent, read) === 0) return true;
  try {
    const [before, after] = [readCtSlice(sent), readCtSlice(await toNativeSyntax(read))];
    return (
      before.sopInstanceUid === after.sopInstanceUid &&
      before.header.rescaleIntercept === after.header.rescaleIntercept &&
      before.image.hu.every((value, at) => value === after.image.hu[at])
    );
  } catch {
    return false;
  }
}
