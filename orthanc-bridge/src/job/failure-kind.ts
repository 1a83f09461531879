import type { ErrorCode } from '@cipherdose/sdk/errors';

/**
 * outage: something outside is down, full or locked; the job waits as long as it takes. · quarantine: the series itself
 * cannot be denoised, trying again would not help. · failure: anything else; a few attempts.
 */
export type FailureKind = 'outage' | 'quarantine' | 'failure';

const outages: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  ...(['ORTHANC_UNREACHABLE', 'ORTHANC_REFUSED', 'ORTHANC_STORAGE_FULL'] as const),
  ...(['HOST_UNREACHABLE', 'HOST_TIMEOUT', 'HOST_BUSY', 'HOST_CLOSING', 'HOST_NOT_READY'] as const),
  ...(['RATE_LIMITED', 'BODY_TIMEOUT', 'UNAUTHENTICATED'] as const),
  ...(['QUOTA_EXCEEDED', 'SESSION_IDLE', 'TWO_PARTY_MEMORY'] as const),
  ...(['QUEUE_UNAVAILABLE', 'DISK_WATERMARK', 'CANCELLED', 'CLIENT_CLOSED', 'SERIES_CHANGED'] as const),
]);

const quarantines: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  ...(['DICOM_PARSE', 'DICOM_NOT_CT', 'DICOM_COMPRESSED', 'DICOM_MULTIFRAME', 'DICOM_DECODE'] as const),
  ...(['DICOM_ATTRIBUTE_MISSING', 'DICOM_ATTRIBUTE_INVALID', 'DICOM_PIXEL_LENGTH', 'IMAGE_INVALID'] as const),
  ...(['SERIES_INCOMPLETE', 'SERIES_MIXED', 'SERIES_EMPTY', 'SERIES_GONE'] as const),
  ...(['ORTHANC_REJECTED', 'MODE_UNSUPPORTED', 'PLAN_LIMIT', 'PLAN_DIGEST', 'SLICE_TOO_LARGE'] as const),
]);

export function failureKind(code: ErrorCode): FailureKind {
  if (outages.has(code)) return 'outage';
  return quarantines.has(code) ? 'quarantine' : 'failure';
}
