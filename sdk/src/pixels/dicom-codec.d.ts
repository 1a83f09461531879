/** The part of @cornerstonejs/dicom-codec that is used here; it ships no types. */
declare module '@cornerstonejs/dicom-codec' {
  interface ImageInfo {
    readonly rows: number;
    readonly columns: number;
    readonly bitsAllocated: number;
    readonly samplesPerPixel: number;
    readonly pixelRepresentation: number;
    readonly signed: boolean;
  }
  interface Decoded {
    /** May be a view of memory that the next call overwrites. */
    readonly imageFrame: ArrayBufferView;
    readonly imageInfo: {
      readonly rows?: number;
      readonly columns?: number;
      readonly componentCount?: number;
    };
  }
  const codec: {
    decode(frame: Uint8Array, info: ImageInfo, transferSyntax: string): Promise<Decoded>;
  };
  export default codec;
}
