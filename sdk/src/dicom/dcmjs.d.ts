/** The part of dcmjs that is used here; it ships no types. */
declare module 'dcmjs' {
  interface Attribute {
    vr: string;
    Value: unknown[];
  }
  class DicomDict {
    constructor(meta: Record<string, Attribute>);
    dict: Record<string, Attribute>;
    write(): ArrayBuffer;
  }
  export const data: {
    DicomDict: typeof DicomDict;
    DicomMetaDictionary: { dictionary: Record<string, { vr: string; name: string } | undefined> };
  };
  export const log: { setLevel(level: 'silent', persist: boolean): void };
}
