import type { ErrorCode } from '@cipherdose/sdk/errors';

/** What an administrator can do about a failure. docs/orthanc-bridge.md has the same codes at more length. */
const advice: Partial<Record<ErrorCode, string>> = {
  ORTHANC_UNREACHABLE: 'The bridge waits. Check that Orthanc runs and that its address is right.',
  ORTHANC_REFUSED:
    'The bridge waits. Check the user name and password of this Orthanc, then restart the bridge.',
  ORTHANC_STORAGE_FULL: 'The bridge waits. Make room on the disk of Orthanc.',
  ORTHANC_RESPONSE: 'Look into the log of Orthanc; replay when it is well.',
  ORTHANC_REJECTED: 'Orthanc does not take the denoised object. Look into its log; replay after a change.',
  WRITE_UNVERIFIED:
    'Orthanc held other bytes than were sent, or somebody deleted slices. Check its disk; replay.',
  HOST_UNREACHABLE: 'The bridge waits. Check that the model host runs and that its address is right.',
  HOST_TIMEOUT: 'The bridge waits. The model host is slow or the network is; see its own metrics.',
  HOST_BUSY: 'The bridge waits. If it is often so, add model hosts.',
  HOST_CLOSING: 'The bridge waits for the model host to come back.',
  HOST_NOT_READY: 'The bridge waits. The model host has no model: install one.',
  HOST_RESPONSE:
    'The model host or a proxy before it answered with something else. Compare versions; replay.',
  RATE_LIMITED: 'The bridge waits. Raise rateLimit of the model host.',
  BODY_TIMEOUT: 'The bridge waits. The way to the model host is slow.',
  UNAUTHENTICATED: 'The bridge waits. Check the API key, then restart the bridge.',
  QUOTA_EXCEEDED: 'The bridge waits. Raise private.quota of the model host, if that is meant.',
  SESSION_IDLE: 'The bridge waits. The way to the model host is slow, or this machine is.',
  TWO_PARTY_MEMORY: 'The bridge waits. The model host or this machine is short of memory.',
  TICKET_INVALID:
    'The model host does not know the session. With several hosts, private mode needs sticky sessions; replay.',
  SLICE_TOO_LARGE:
    'The model host takes no slice of this size in private mode. Change the rule or its limits.',
  QUEUE_UNAVAILABLE: 'The bridge waits. Check PostgreSQL, or the data folder.',
  DISK_WATERMARK: 'The bridge waits. Make room on the disk of the data folder.',
  CANCELLED: 'The bridge was stopped; the series goes on by itself.',
  SERIES_CHANGED: 'Slices came or went; the series starts again by itself.',
  DICOM_PARSE: 'A file is damaged. Send the series to Orthanc again.',
  DICOM_NOT_CT: 'Not a CT image. Narrow the rule.',
  DICOM_COMPRESSED: 'This transfer syntax cannot be decoded exactly. Send the series in a lossless one.',
  DICOM_DECODE: 'A compressed slice is damaged, or of a lossy kind. Send the series again, lossless.',
  DICOM_MULTIFRAME: 'Multi-frame objects of this kind are not denoised. Narrow the rule.',
  DICOM_ATTRIBUTE_MISSING: 'The scanner left out what is needed to know the HU or the place of a slice.',
  DICOM_ATTRIBUTE_INVALID: 'The scanner wrote a value with which the result would not be exact.',
  DICOM_PIXEL_LENGTH: 'A file is cut short. Send the series to Orthanc again.',
  IMAGE_INVALID: 'A slice has a size that the model does not take.',
  SERIES_INCOMPLETE:
    'Slices are missing. Send the rest: the series is then taken by itself. Or allow gaps in the rule.',
  SERIES_MIXED: 'Two series in one, or too many slices. Split it at the scanner, or narrow the rule.',
  SERIES_EMPTY: 'Nothing in it can be denoised. Narrow the rule.',
  SERIES_GONE: 'The series was deleted from Orthanc.',
  MODEL_UNKNOWN: 'The model host has no such model. Install it there, or change the rule.',
  MODE_UNSUPPORTED: 'The model does not offer the mode that the rule asks for. Change the rule.',
  PLAN_LIMIT: 'The model is larger than this bridge takes.',
  PLAN_DIGEST: 'The model host has a new version of the model; the series is taken with that by itself.',
  CONFIG_INVALID: 'The rule names an Orthanc that the configuration no longer has.',
  WORKER_FAILED: 'A process of the bridge ended, perhaps for lack of memory. Replay.',
  INTERNAL: 'The model host failed. Its log has the request; replay.',
};

/** @returns plain words for people. */
export const adviceFor = (code: ErrorCode): string =>
  advice[code] ?? 'Replay. If it fails again, report it with the log lines of this job.';

/** Codes that have an advice of their own. */
export const advisedCodes = Object.keys(advice) as readonly ErrorCode[];
