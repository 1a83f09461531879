import { createHash } from 'node:crypto';
import { open, readFile, type FileHandle } from 'node:fs/promises';
import { DenoiseError } from '@cipherdose/sdk/errors';

/** What is audited: who did what with which series and model, and how many bytes left the building (as ciphertext). */
export interface AuditFacts {
  readonly event:
    | 'started'
    | 'queued'
    | 'written'
    /** An attempt ended before the series was complete; says what it had sent. */
    | 'interrupted'
    | 'quarantined'
    | 'failed'
    | 'replayed'
    | 'paused'
    | 'resumed'
    | 'stopped'
    | 'logged-in'
    | 'login-refused'
    /** Somebody looked at pictures of the series. */
    | 'viewed';
  /** The bridge, or the person at the status page. */
  readonly who: string;
  readonly job?: string;
  readonly orthanc?: string;
  /** Orthanc's id, no DICOM UID. */
  readonly series?: string;
  readonly rule?: string;
  readonly model?: string;
  readonly version?: string;
  readonly digest?: string;
  /** What each side could learn: SECURITY.md has it by mode. */
  readonly mode?: string;
  readonly code?: string;
  readonly slices?: number;
  readonly bytesUp?: number;
  readonly bytesDown?: number;
}

export interface AuditEntry extends AuditFacts {
  /** From 1, without gaps. */
  readonly number: number;
  readonly time: string;
  /** Hash of the entry before; 64 zeros for the first. */
  readonly previous: string;
  /** SHA-256 of this entry without its hash, as JSON. */
  readonly hash: string;
}

const noHash = '0'.repeat(64);

/**
 * A file of JSON lines that is only ever appended to. Every entry holds the hash of the one before, so that a changed,
 * removed or inserted line shows; who can write the file can still rewrite all of it, so keep copies elsewhere.
 */
export class AuditTrail {
  readonly #file: FileHandle;
  readonly #now: () => Date;
  #last: { readonly number: number; readonly hash: string };
  #writing: Promise<void> = Promise.resolve();

  private constructor(file: FileHandle, last: { number: number; hash: string }, now: () => Date) {
    this.#file = file;
    this.#last = last;
    this.#now = now;
  }

  /** Goes on after the last whole entry; half a line from a crash is ended and stays. @throws FILE_UNWRITABLE */
  static async open(path: string, now: () => Date = () => new Date()): Promise<AuditTrail> {
    try {
      const text = await readFile(path, 'utf8').catch(() => '');
      const file = await open(path, 'a', 0o600);
      if (text !== '' && !text.endsWith('\n')) await file.appendFile('\n');
      const last = parseEntries(text).at(-1);
      return new AuditTrail(file, last ?? { number: 0, hash: noHash }, now);
    } catch (cause) {
      throw new DenoiseError('FILE_UNWRITABLE', { file: path }, { cause });
    }
  }

  /** Resolves when the entry is on the disk. */
  append(facts: AuditFacts): Promise<void> {
    this.#writing = this.#writing
      .catch(() => undefined)
      .then(async () => {
        const { number, hash: previous } = this.#last;
        const entry = { number: number + 1, time: this.#now().toISOString(), ...facts, previous };
        const hash = hashOf(entry);
        await this.#file.appendFile(`${JSON.stringify({ ...entry, hash })}\n`);
        await this.#file.datasync();
        this.#last = { number: entry.number, hash };
      });
    return this.#writing;
  }

  async close(): Promise<void> {
    await this.#writing.catch(() => undefined);
    await this.#file.close();
  }
}

const hashOf = (entry: Omit<AuditEntry, 'hash'>): string =>
  createHash('sha256').update(JSON.stringify(entry)).digest('hex');

/** Lines that are no whole entry are left out. */
function parseEntries(text: string): AuditEntry[] {
  return text.split('\n').flatMap((line) => {
    try {
      const entry = JSON.parse(line) as AuditEntry;
      return typeof entry.hash === 'string' ? [entry] : [];
    } catch {
      return [];
    }
  });
}

/** @returns the number of entries, or the number of the first that does not follow from the one before. */
export async function verifyAuditTrail(
  path: string,
): Promise<{ entries: number; brokenAt: number | undefined }> {
  let previous = noHash;
  const entries = parseEntries(await readFile(path, 'utf8'));
  for (const [index, { hash, ...entry }] of entries.entries()) {
    if (entry.previous !== previous || entry.number !== index + 1 || hashOf(entry) !== hash)
      return { entries: entries.length, brokenAt: index + 1 };
    previous = hash;
  }
  return { entries: entries.length, brokenAt: undefined };
}
