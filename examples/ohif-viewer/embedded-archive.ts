import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { readCtSlice, type CtSlice } from '@cipherdose/sdk/dicom';
import type { Archive } from './archive.ts';
import { toDicomJson, type JsonDataSet } from './dicom-json.ts';

/** One object in memory. */
interface Stored {
  readonly file: Uint8Array<ArrayBuffer>;
  readonly slice: CtSlice;
  readonly json: JsonDataSet;
}

const pixelData = 0x7fe00010;
const explicitLittleEndian = '1.2.840.10008.1.2.1';

/**
 * The part of DICOMweb that OHIF and this extension use, for uncompressed CT slices in memory: enough to try things where
 * Orthanc is not installed. Nothing is kept when it ends.
 */
export async function startEmbeddedArchive(): Promise<Archive> {
  const objects = new Map<string, Stored>();

  function add(file: Uint8Array<ArrayBuffer>): CtSlice {
    const slice = readCtSlice(file);
    objects.set(slice.sopInstanceUid, { file, slice, json: toDicomJson(slice.dataSet) });
    return slice;
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const [root, ...path] = pathname.split('/').filter((part) => part !== '');
    if (root !== 'dicom-web') return end(response, 404);
    if (request.method === 'POST' && path[0] === 'studies')
      return store(await buffer(request), request, response);
    if (request.method !== 'GET') return end(response, 405);
    const place = readPlace(path, searchParams);
    if (!place) return end(response, 404);
    const found = [...objects.values()].filter(
      ({ slice }) =>
        (place.study === undefined || slice.studyInstanceUid === place.study) &&
        (place.series === undefined || slice.seriesInstanceUid === place.series) &&
        (place.instance === undefined || slice.sopInstanceUid === place.instance),
    );
    switch (place.what) {
      case 'studies':
        return sendJson(response, groupBy(found, ({ slice }) => slice.studyInstanceUid).map(describeStudy));
      case 'series':
        return sendJson(response, groupBy(found, ({ slice }) => slice.seriesInstanceUid).map(describeSeries));
      case 'instances':
      case 'metadata':
        return sendJson(
          response,
          found.map(({ json }) => json),
        );
      case 'object':
        return found[0] ? sendPart(response, 'application/dicom', found[0].file) : end(response, 404);
      case 'frame': {
        const words = found[0]?.slice.dataSet.get(pixelData)?.value;
        const type = `application/octet-stream; transfer-syntax=${explicitLittleEndian}`;
        return words ? sendPart(response, type, words) : end(response, 404);
      }
    }
  }

  function store(body: Buffer, request: IncomingMessage, response: ServerResponse): void {
    const stored = partsOf(body, request.headers['content-type'] ?? '').map(add);
    const value = stored.map(({ sopInstanceUid }) => ({
      '00081150': { vr: 'UI', Value: ['1.2.840.10008.5.1.4.1.1.2'] },
      '00081155': { vr: 'UI', Value: [sopInstanceUid] },
    }));
    sendJson(response, { '00081199': { vr: 'SQ', Value: value } });
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => end(response, 400));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    name: 'Archive in memory',
    upload: (file) => Promise.resolve(void add(file)),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Place {
  readonly study: string | undefined;
  readonly series: string | undefined;
  readonly instance: string | undefined;
  readonly what: 'studies' | 'series' | 'instances' | 'metadata' | 'object' | 'frame';
}

/** `/studies/X/series/Y/instances/Z[/frames/1]`, as far as it goes, and the UIDs of a query. PS3.18 sections 10.4, 10.6 */
function readPlace(path: readonly string[], query: URLSearchParams): Place | undefined {
  const uid = (keyword: string, tag: string): string | undefined =>
    query.get(keyword) ?? query.get(tag) ?? undefined;
  const named = (name: string): string | undefined => {
    const at = path.indexOf(name);
    return at < 0 ? undefined : path[at + 1];
  };
  const place = {
    study: named('studies') ?? uid('StudyInstanceUID', '0020000D'),
    series: named('series') ?? uid('SeriesInstanceUID', '0020000E'),
    instance: named('instances') ?? uid('SOPInstanceUID', '00080018'),
  };
  const last = path.at(-1);
  if (last === 'studies' || last === 'series' || last === 'instances' || last === 'metadata')
    return { ...place, what: last };
  if (path.at(-2) === 'frames') return { ...place, what: 'frame' };
  return path.at(-2) === 'instances' ? { ...place, what: 'object' } : undefined;
}

function groupBy(objects: readonly Stored[], key: (object: Stored) => string): [Stored, ...Stored[]][] {
  const groups = new Map<string, [Stored, ...Stored[]]>();
  for (const object of objects) {
    const group = groups.get(key(object));
    if (group) group.push(object);
    else groups.set(key(object), [object]);
  }
  return [...groups.values()];
}

function describeStudy(objects: readonly [Stored, ...Stored[]]): JsonDataSet {
  const modalities = { vr: 'CS', Value: ['CT'] };
  const series = new Set(objects.map(({ slice }) => slice.seriesInstanceUid)).size;
  return {
    ...objects[0].json,
    '00080061': modalities,
    '00201206': { vr: 'IS', Value: [series] },
    '00201208': { vr: 'IS', Value: [objects.length] },
  };
}

const describeSeries = (objects: readonly [Stored, ...Stored[]]): JsonDataSet => ({
  ...objects[0].json,
  '00201209': { vr: 'IS', Value: [objects.length] },
});

/** The parts of a multipart/related body. PS3.18 section 8.6.1.2 */
function partsOf(body: Buffer, contentType: string): Uint8Array<ArrayBuffer>[] {
  const [, quoted, plain] = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType) ?? [];
  const mark = `--${quoted ?? plain ?? ''}`;
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (let at = body.indexOf(mark); at >= 0;) {
    const head = body.indexOf('\r\n\r\n', at);
    const next = body.indexOf(`\r\n${mark}`, head);
    if (head < 0 || next < 0) break;
    parts.push(new Uint8Array(body.subarray(head + 4, next)));
    at = next + 2;
  }
  return parts;
}

function sendPart(response: ServerResponse, type: string, part: Uint8Array): void {
  const boundary = 'cipherdose-part';
  response.writeHead(200, {
    'content-type': `multipart/related; type="${type.split(';')[0]}"; boundary=${boundary}`,
  });
  response.write(`--${boundary}\r\nContent-Type: ${type}\r\n\r\n`);
  response.write(part);
  response.end(`\r\n--${boundary}--\r\n`);
}

const sendJson = (response: ServerResponse, value: unknown): void =>
  void response.writeHead(200, { 'content-type': 'application/dicom+json' }).end(JSON.stringify(value));

const end = (response: ServerResponse, status: number): void => void response.writeHead(status).end();
