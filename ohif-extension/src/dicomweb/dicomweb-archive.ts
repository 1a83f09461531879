import { DenoiseError } from '@cipherdose/sdk/errors';
import { encodePart, firstPart } from './multipart.ts';

/** Where an instance is. */
export interface InstanceAddress {
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
}

export interface ArchiveOptions {
  readonly wadoRoot: string;
  readonly stowRoot: string;
  /** Headers of the viewer's own login. */
  readonly headers: () => Readonly<Record<string, string>>;
}

/** The viewer's DICOMweb archive. @throws ARCHIVE_UNREACHABLE, ARCHIVE_REFUSED, CANCELLED */
export interface DicomwebArchive {
  /** The whole object as it is stored. */
  retrieve(address: InstanceAddress, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
  /** Stores one object. An answer that does not name it as stored is a failure, whatever its status. */
  store(file: Uint8Array<ArrayBuffer>, sopInstanceUid: string, signal: AbortSignal): Promise<void>;
}

/** One slice, read or stored, on a slow line. */
const timeoutMs = 60_000;
/** What a proxy says when the archive behind it is down. */
const gatewayFailures: ReadonlySet<number> = new Set([502, 503, 504]);
const multipartDicom = 'multipart/related; type="application/dicom"';

export function dicomwebArchive({ wadoRoot, stowRoot, headers }: ArchiveOptions): DicomwebArchive {
  async function call(url: string, init: RequestInit, caller: AbortSignal): Promise<Response> {
    const signal = AbortSignal.any([caller, AbortSignal.timeout(timeoutMs)]);
    let response: Response;
    try {
      response = await fetch(url, { ...init, headers: { ...headers(), ...init.headers }, signal });
    } catch (cause) {
      throw new DenoiseError(caller.aborted ? 'CANCELLED' : 'ARCHIVE_UNREACHABLE', {}, { cause });
    }
    const { ok, status } = response;
    if (!ok)
      throw new DenoiseError(gatewayFailures.has(status) ? 'ARCHIVE_UNREACHABLE' : 'ARCHIVE_REFUSED', {
        status,
      });
    return response;
  }

  async function read<T>(body: Promise<T>, signal: AbortSignal): Promise<T> {
    return body.catch((cause: unknown) => {
      throw new DenoiseError(signal.aborted ? 'CANCELLED' : 'ARCHIVE_UNREACHABLE', {}, { cause });
    });
  }

  return {
    async retrieve({ studyInstanceUid, seriesInstanceUid, sopInstanceUid }, signal) {
      const url = `${wadoRoot}/studies/${studyInstanceUid}/series/${seriesInstanceUid}/instances/${sopInstanceUid}`;
      const accept = `${multipartDicom}; transfer-syntax=*`;
      const response = await call(url, { headers: { accept } }, signal);
      const body = new Uint8Array(await read(response.arrayBuffer(), signal));
      return firstPart(body, response.headers.get('content-type') ?? '').slice();
    },
    async store(file, sopInstanceUid, signal) {
      const boundary = `cipherdose-${crypto.randomUUID()}`;
      const response = await call(
        `${stowRoot}/studies`,
        {
          method: 'POST',
          headers: {
            'content-type': `${multipartDicom}; boundary=${boundary}`,
            accept: 'application/dicom+json',
          },
          body: encodePart(file, 'application/dicom', boundary),
        },
        signal,
      );
      const answer = await read(response.text(), signal);
      if (!storedUids(answer).includes(sopInstanceUid))
        throw new DenoiseError('ARCHIVE_REFUSED', { reason: 'the object is not among those stored' });
    },
  };
}

/** SOP Instance UIDs of the Referenced SOP Sequence of a STOW-RS answer, PS3.18 annex I. */
function storedUids(answer: string): readonly string[] {
  try {
    const { '00081199': stored } = JSON.parse(answer) as Record<
      string,
      { Value?: readonly Record<string, { Value?: readonly string[] }>[] } | undefined
    >;
    return (stored?.Value ?? []).flatMap((item) => item['00081155']?.Value ?? []);
  } catch {
    return [];
  }
}
