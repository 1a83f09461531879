/** DICOM UIDs of one object. */
export interface ObjectUids {
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
}

/** What is put on a finished derived series, where the target can keep it. */
export interface DerivedMark {
  /** Text for people and other programs. */
  readonly text: string;
}

/** Where derived series are written. Every method throws the ORTHANC_* codes, with the name of the target. */
export interface DerivedTarget {
  readonly name: string;
  /**
   * Whether what was written can be taken away again for sure. If not, nothing is written before every slice of the series
   * was read once.
   */
  readonly removes: boolean;
  /** @returns SOP Instance UIDs of what stands in the series */
  stored(seriesInstanceUid: string): Promise<ReadonlySet<string>>;
  /**
   * @param written MD5 by SOP Instance UID, as {@link DerivedTarget.store} returned it
   * @returns those of `written` that stand there unchanged
   */
  verified(seriesInstanceUid: string, written: ReadonlyMap<string, string>): Promise<ReadonlySet<string>>;
  /** Stores one object and reads it back. @returns the MD5 of the bytes @throws WRITE_UNVERIFIED */
  store(bytes: Uint8Array, uids: ObjectUids, signal: AbortSignal): Promise<string>;
  /** Removes whatever stands in the series. */
  remove(seriesInstanceUid: string): Promise<void>;
  /** @returns the target's own id of the series. @throws WRITE_UNVERIFIED if it is not there */
  mark(seriesInstanceUid: string, mark: DerivedMark): Promise<string>;
}
