import { z } from 'zod';

/** Answers of Orthanc's REST API, as far as the bridge reads them. Orthanc ids are not DICOM UIDs. */
export const systemSchema = z.object({
  Name: z.string(),
  Version: z.string(),
  /** From 1.12 on. */
  HasLabels: z.boolean().optional(),
  /** From 1.12.5 on. */
  Capabilities: z.object({ HasExtendedChanges: z.boolean().optional() }).optional(),
});

export const changeSchema = z.object({
  ChangeType: z.string(),
  ID: z.string(),
  ResourceType: z.string(),
  Seq: z.int(),
});
export type Change = z.infer<typeof changeSchema>;

export const changesSchema = z.object({
  Changes: z.array(changeSchema),
  Done: z.boolean(),
  Last: z.int(),
});
export type Changes = z.infer<typeof changesSchema>;

export const seriesSchema = z.object({
  ID: z.string(),
  Instances: z.array(z.string()),
  IsStable: z.boolean(),
  LastUpdate: z.string().optional(),
  ParentStudy: z.string(),
  MainDicomTags: z.record(z.string(), z.string()),
});
export type OrthancSeries = z.infer<typeof seriesSchema>;

/** Another text whenever instances came or went, also if a series was deleted and sent again (to the second). */
export const sourceState = ({ Instances, LastUpdate }: OrthancSeries): string =>
  `${Instances.length} ${LastUpdate ?? ''}`;

export const seriesListSchema = z.array(seriesSchema);

export const tagsSchema = z.record(z.string(), z.unknown());
export const instancesTagsSchema = z.record(z.string(), tagsSchema);

export const uploadSchema = z.object({
  ID: z.string(),
  ParentSeries: z.string(),
  Status: z.string(),
});
export type Upload = z.infer<typeof uploadSchema>;

export const lookupSchema = z.array(z.object({ ID: z.string(), Type: z.string() }));

export const seriesInstancesSchema = z.array(
  z.object({
    ID: z.string(),
    MainDicomTags: z.object({ SOPInstanceUID: z.string(), InstanceNumber: z.string().optional() }),
  }),
);

export const studySchema = z.object({
  MainDicomTags: z.object({ StudyInstanceUID: z.string() }),
  PatientMainDicomTags: z.object({ PatientName: z.string().optional() }).optional(),
});
export type OrthancStudy = z.infer<typeof studySchema>;

export const parentsSchema = z.array(z.object({ ID: z.string() }));

/** Body of a failed request. */
export const failureSchema = z.object({ OrthancStatus: z.int().optional() });
