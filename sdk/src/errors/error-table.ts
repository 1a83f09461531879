/**
 * The one table of failures. `status` is the HTTP status the host answers with (0: never crosses the wire);
 * `retryable` says whether the same request may succeed later without any change.
 */
export interface ErrorEntry {
  readonly status: number;
  readonly retryable: boolean;
  readonly message: string;
}

const entry = (status: number, retryable: boolean, message: string): ErrorEntry => ({
  status,
  retryable,
  message,
});

/** Every failure by its code; its message says in words what happened. */
export const errorTable = {
  // Wire
  FRAME_MAGIC: entry(400, false, 'The body is not a CipherDose frame'),
  FRAME_VERSION: entry(400, false, 'The frame has a version that this side does not speak'),
  FRAME_KIND: entry(400, false, 'The frame is a reply where a request is expected, or the reverse'),
  FRAME_PARAMETERS: entry(400, false, 'The frame names another HE parameter set than the model'),
  FRAME_DIGEST: entry(409, false, 'The frame was made for another version of the model'),
  FRAME_LAYER: entry(400, false, 'The frame names another layer than its address'),
  FRAME_GEOMETRY: entry(
    400,
    false,
    'The frame has a map size, tile range or channel count that the plan does not allow',
  ),
  FRAME_LENGTH: entry(400, false, 'The frame is shorter or longer than its header says'),
  FRAME_RESIDUE: entry(400, false, 'The frame holds a residue outside its modulus'),
  // Host
  MODEL_UNKNOWN: entry(404, false, 'The host has no such model'),
  LAYER_UNKNOWN: entry(404, false, 'The model has no such layer'),
  MODE_UNSUPPORTED: entry(400, false, 'The model does not offer this mode'),
  ROUTE_UNKNOWN: entry(404, false, 'The host has no such address'),
  REQUEST_INVALID: entry(400, false, 'The request is not valid'),
  BODY_TYPE: entry(415, false, 'The body must be application/vnd.cipherdose.frame'),
  BODY_LENGTH_REQUIRED: entry(411, false, 'The body needs a content-length; chunked bodies are not taken'),
  BODY_TOO_LARGE: entry(413, false, 'The body is larger than this layer allows'),
  BODY_TIMEOUT: entry(408, true, 'The body did not arrive in time'),
  UNAUTHENTICATED: entry(401, false, 'An API key is needed, or the one given is not known'),
  RATE_LIMITED: entry(429, true, 'Too many requests; wait a little'),
  HOST_BUSY: entry(503, true, 'The host has no room for more work now'),
  HOST_CLOSING: entry(503, true, 'The host is shutting down'),
  HOST_NOT_READY: entry(503, true, 'The host has no model to offer yet'),
  INTERNAL: entry(500, true, 'The host failed; the request id leads to its log'),
  // Models on disk and import
  MODEL_INVALID: entry(0, false, 'The model folder is not valid'),
  MODEL_DIGEST: entry(0, false, 'The model does not match its digest'),
  MODEL_EXISTS: entry(0, false, 'A model with this id and version is there already'),
  ONNX_INVALID: entry(0, false, 'The file is not a valid ONNX model'),
  ONNX_UNSUPPORTED: entry(0, false, 'The ONNX model uses something that cannot be evaluated'),
  CALIBRATION_INVALID: entry(0, false, 'The calibration data is not usable'),
  ACCUMULATOR_BOUND: entry(0, false, 'An accumulator could leave the plain modulus'),
  NOISE_BOUND: entry(0, false, 'The noise of a layer could leave its budget'),
  CONFIG_INVALID: entry(0, false, 'The configuration is not valid'),
  // Plan and parameters
  PLAN_INVALID: entry(0, false, 'The plan is not valid'),
  PLAN_DIGEST: entry(0, false, 'The plan does not match its digest'),
  PLAN_LIMIT: entry(0, false, 'The plan asks for more than the limits allow'),
  PLAN_NOT_PRIVATE: entry(0, false, 'The plan cannot run in private mode'),
  PARAMETERS_UNKNOWN: entry(0, false, 'There is no such HE parameter set'),
  PARAMETERS_INSECURE: entry(0, false, 'The HE parameters are below 128-bit security'),
  PARAMETERS_INVALID: entry(0, false, 'The HE parameters are not valid'),
  // Client
  IMAGE_INVALID: entry(0, false, 'The image is not valid'),
  HOST_UNREACHABLE: entry(0, true, 'The host cannot be reached'),
  HOST_RESPONSE: entry(0, true, 'The host answered with something that is not the protocol'),
  HOST_TIMEOUT: entry(0, true, 'The host did not answer in time'),
  CANCELLED: entry(0, false, 'The run was cancelled'),
  CLIENT_CLOSED: entry(0, false, 'The client is closed'),
  WORKER_FAILED: entry(0, true, 'A worker of the client stopped unexpectedly'),
  SEAL_FAILED: entry(0, false, 'node-seal refused an operation'),
  SECRET_KEY_EXPORT: entry(0, false, 'A secret key cannot leave the worker that made it'),
  EXACTNESS: entry(0, false, 'The encrypted result differs from the clear result'),
  // Private mode, homomorphic part
  PUBLIC_KEY_INVALID: entry(400, false, 'The public key is not valid'),
  PUBLIC_KEY_FOREIGN: entry(400, false, 'The public key belongs to another session or parameter set'),
  MASK_INVALID: entry(0, false, 'The mask or the share does not fit the layer'),
  // Private mode, sessions
  TICKET_INVALID: entry(
    401,
    true,
    'The ticket is unknown, used, expired or of another host; a new one is needed',
  ),
  SESSION_IDLE: entry(408, true, 'The session said nothing for too long'),
  QUOTA_EXCEEDED: entry(429, true, 'The quota of activations is used up; wait a little'),
  SLICE_TOO_LARGE: entry(413, false, 'The slice takes more activations than the host allows'),
  // Two-party activation
  TWO_PARTY_PARAMETERS: entry(0, false, 'The activation cannot be evaluated by two parties'),
  TWO_PARTY_SHARES: entry(0, false, 'The shares do not fit the correlations that were prepared'),
  TWO_PARTY_FOREIGN: entry(400, false, 'The message belongs to another protocol or session'),
  TWO_PARTY_REPLAYED: entry(400, false, 'The message was taken before'),
  TWO_PARTY_ORDER: entry(400, false, 'The message comes before its turn'),
  TWO_PARTY_LENGTH: entry(400, false, 'The message is shorter than it must be'),
  TWO_PARTY_TOO_LARGE: entry(413, false, 'The message is larger than it may be'),
  TWO_PARTY_ELEMENT: entry(400, false, 'The message holds something that is not a group element'),
  TWO_PARTY_SPENT: entry(409, false, 'The correlations were used or dropped; prepare new ones'),
  TWO_PARTY_MEMORY: entry(503, true, 'There is no memory for more correlations'),
  // DICOM
  DICOM_PARSE: entry(0, false, 'The file is not readable DICOM'),
  DICOM_NOT_CT: entry(0, false, 'The object is not a CT image'),
  DICOM_COMPRESSED: entry(0, false, 'The transfer syntax is not supported'),
  DICOM_MULTIFRAME: entry(0, false, 'Multi-frame objects are not supported'),
  DICOM_ATTRIBUTE_MISSING: entry(0, false, 'A required attribute is missing'),
  DICOM_ATTRIBUTE_INVALID: entry(0, false, 'An attribute has a value that cannot be used'),
  DICOM_PIXEL_LENGTH: entry(0, false, 'The pixel data does not have the length that rows and columns say'),
  DICOM_DENOISED: entry(0, false, 'The object was denoised before; denoising it again is a mistake'),
  DICOM_DUPLICATE: entry(0, false, 'An object with the same SOP Instance UID came before'),
  // DICOMweb archive of a viewer
  ARCHIVE_UNREACHABLE: entry(0, true, 'The image archive cannot be reached'),
  ARCHIVE_REFUSED: entry(0, false, 'The image archive refuses the request'),
  VIEWER_UNSUPPORTED: entry(0, false, 'This version of the viewer lacks something that is needed'),
  // Orthanc bridge
  ORTHANC_UNREACHABLE: entry(0, true, 'Orthanc cannot be reached'),
  ORTHANC_REFUSED: entry(0, true, 'Orthanc refuses the name or password'),
  ORTHANC_RESPONSE: entry(0, true, 'Orthanc answered with something unexpected'),
  ORTHANC_STORAGE_FULL: entry(0, true, 'Orthanc has no room left'),
  ORTHANC_REJECTED: entry(0, false, 'Orthanc does not take the object'),
  WRITE_UNVERIFIED: entry(0, true, 'Orthanc holds other bytes than were sent'),
  SERIES_GONE: entry(0, false, 'The series is no longer there'),
  SERIES_CHANGED: entry(0, true, 'The series changed while it was processed'),
  SERIES_INCOMPLETE: entry(0, false, 'The series has gaps'),
  SERIES_MIXED: entry(0, false, 'The series has slices of different geometry'),
  SERIES_EMPTY: entry(0, false, 'The series has no CT image to denoise'),
  DICOM_DECODE: entry(0, false, 'The compressed pixels cannot be decoded exactly'),
  QUEUE_UNAVAILABLE: entry(0, true, 'The queue database cannot be used'),
  QUEUE_IN_USE: entry(0, false, 'Another bridge uses the queue folder'),
  JOB_UNKNOWN: entry(0, false, 'There is no such job'),
  DISK_WATERMARK: entry(0, true, 'The disk of the bridge is nearly full'),
  LOGIN_NEEDED: entry(401, false, 'Log in first'),
  LOGIN_REFUSED: entry(401, false, 'The name or the password is wrong'),
  ORIGIN_REFUSED: entry(403, false, 'The request came from another web site'),
  // Command line
  USAGE: entry(0, false, 'The command line is not valid'),
  FILE_UNREADABLE: entry(0, false, 'The file cannot be read'),
  FILE_UNWRITABLE: entry(0, false, 'The file cannot be written'),
  UNEXPECTED: entry(0, false, 'Something failed that should not: please report it'),
} as const satisfies Record<string, ErrorEntry>;

/** A stable name of a failure, safe to test for. */
export type ErrorCode = keyof typeof errorTable;

/** Whether a value is the code of a known failure. */
export const isErrorCode = (value: unknown): value is ErrorCode =>
  typeof value === 'string' && Object.hasOwn(errorTable, value);
