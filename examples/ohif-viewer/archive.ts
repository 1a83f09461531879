/** A DICOMweb archive on the loopback address, with `/dicom-web` under its address, gone when it is closed. */
export interface Archive {
  readonly url: string;
  /** What the viewer calls it. */
  readonly name: string;
  upload(file: Uint8Array<ArrayBuffer>): Promise<void>;
  close(): Promise<void>;
}
