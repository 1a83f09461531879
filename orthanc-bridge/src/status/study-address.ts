/** What a template may name: `{study}`, the StudyInstanceUID, and `{orthancStudy}`, Orthanc's id. */
export interface StudyNames {
  readonly study: string;
  readonly orthancStudy: string;
}

/** Fills in where people look at a study, for example `https://viewer.example.org/viewer?StudyInstanceUIDs={study}`. */
export const studyAddress = (template: string, names: StudyNames): string =>
  template.replace(/\{(study|orthancStudy)\}/g, (_match, name: keyof StudyNames) =>
    encodeURIComponent(names[name]),
  );
