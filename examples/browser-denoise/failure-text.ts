import { DenoiseError, type ErrorCode } from '@cipherdose/sdk';

/** What went wrong, and what the person in front of the page can do. */
export interface FailureText {
  readonly title: string;
  readonly advice: string;
}

const text = (title: string, advice: string): FailureText => ({ title, advice });

const exportAgain = 'Export the slice again from its archive, or choose another one.';
const askHost = 'Try again later, or tell whoever runs the host.';

const texts: Partial<Record<ErrorCode, FailureText>> = {
  DICOM_PARSE: text('This is not a readable DICOM file.', exportAgain),
  DICOM_NOT_CT: text(
    'This is not a CT image.',
    'Choose axial CT slices; localizers, reports and other modalities cannot be denoised.',
  ),
  DICOM_COMPRESSED: text(
    'The pixel data is compressed.',
    'Export the slice uncompressed (Explicit VR Little Endian) and choose it again.',
  ),
  DICOM_MULTIFRAME: text('The file holds several frames.', 'Export the series as single-frame CT images.'),
  DICOM_PIXEL_LENGTH: text('The pixel data is cut short.', exportAgain),
  DICOM_ATTRIBUTE_MISSING: text('The file lacks an attribute that every CT slice has.', exportAgain),
  DICOM_ATTRIBUTE_INVALID: text('The file holds an attribute that cannot be used.', exportAgain),
  IMAGE_INVALID: text(
    'The slice is too large for the model.',
    'Choose a slice of at most 4096 x 4096 pixels.',
  ),
  HOST_UNREACHABLE: text(
    'The model host cannot be reached.',
    'Check its address, that it runs, and that it and this page allow each other.',
  ),
  HOST_TIMEOUT: text('The model host did not answer in time.', 'Check the connection, then try again.'),
  HOST_RESPONSE: text('What answers is not a CipherDose model host.', 'Check the address.'),
  HOST_BUSY: text('The model host is busy.', 'Try again in a minute.'),
  HOST_CLOSING: text('The model host shuts down.', 'Try again in a minute.'),
  TICKET_INVALID: text('The model host did not take the session.', 'Try again; if it stays, ask the host.'),
  QUOTA_EXCEEDED: text('You have used up what the model host allows.', 'Try again in a while.'),
  SLICE_TOO_LARGE: text(
    'The slice is too large for private mode on this host.',
    'Choose a smaller slice, or another mode.',
  ),
  RATE_LIMITED: text('The model host limits how much you may ask.', 'Try again in a minute.'),
  UNAUTHENTICATED: text(
    'The model host does not know you.',
    'Enter the API key that you were given, then connect.',
  ),
  MODEL_UNKNOWN: text('The host no longer has this model.', 'Connect again and choose another model.'),
  FRAME_DIGEST: text('The host changed the model during the run.', 'Connect again, then denoise again.'),
  PLAN_DIGEST: text(
    'The model is not the one that the host announced.',
    'Connect again; if it stays, ask the host.',
  ),
  PLAN_LIMIT: text('The model asks for more than this page allows.', askHost),
  CANCELLED: text('Cancelled.', 'Nothing more is sent, and the keys are gone. Press Denoise to start again.'),
  WORKER_FAILED: text(
    'The encryption stopped unexpectedly.',
    'Reload the page; it needs a browser of 2024 or later.',
  ),
  SEAL_FAILED: text(
    'The encryption library could not start.',
    'Reload the page; it needs a browser of 2024 or later.',
  ),
};

/** Every failure has a text; those that nobody can act on keep their code for a report. */
export function failureText(error: unknown): FailureText {
  const { code, message } = DenoiseError.wrap(error, 'INTERNAL');
  return texts[code] ?? { title: `${message}.`, advice: `${askHost} Code: ${code}.` };
}
