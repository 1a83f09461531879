import { DenoiseError, type ErrorCode } from '@cipherdose/sdk/errors';
import { isGatewayFailure } from '../run/wait-for-return.ts';

/** What went wrong, and what the person in front of the viewer can do. */
export interface FailureText {
  readonly title: string;
  readonly advice: string;
}

const text = (title: string, advice: string): FailureText => ({ title, advice });
const otherSeries = 'Choose another series, or ask for the images to be sent again.';
const goOn = 'What is done stays; press Continue when it is back.';

const texts: Partial<Record<ErrorCode, FailureText>> = {
  DICOM_PARSE: text('A slice is not readable DICOM.', otherSeries),
  DICOM_NOT_CT: text('A slice is not a CT image.', otherSeries),
  DICOM_COMPRESSED: text(
    'These slices are compressed in a way that cannot be decoded exactly.',
    'Ask your PACS administrator for uncompressed images (Explicit VR Little Endian).',
  ),
  DICOM_DECODE: text('The compressed pixels of a slice are damaged.', otherSeries),
  DICOM_MULTIFRAME: text('Multi-frame images cannot be denoised.', otherSeries),
  DICOM_PIXEL_LENGTH: text('The pixels of a slice are cut short.', otherSeries),
  DICOM_ATTRIBUTE_MISSING: text('A slice lacks an attribute that every CT slice has.', otherSeries),
  DICOM_ATTRIBUTE_INVALID: text('A slice has an attribute that cannot be used.', otherSeries),
  DICOM_DENOISED: text('This series is denoised already.', 'Open the original series.'),
  IMAGE_INVALID: text('A slice has a size that cannot be denoised.', otherSeries),
  HOST_UNREACHABLE: text(
    'The model server cannot be reached.',
    "Check your network. If the server's address, opened in a new tab, shows a certificate warning, tell your administrator.",
  ),
  HOST_TIMEOUT: text('The model server did not answer in time.', `Check your network. ${goOn}`),
  HOST_RESPONSE: text(
    'What answers is not a CipherDose model server.',
    'Check the address with your administrator.',
  ),
  HOST_BUSY: text('The model server is busy.', 'Wait a minute, then press Continue.'),
  HOST_CLOSING: text('The model server is restarting.', goOn),
  HOST_NOT_READY: text('The model server has no model yet.', 'Tell your administrator.'),
  RATE_LIMITED: text('The model server limits how much you may ask.', 'Wait a minute, then press Continue.'),
  QUOTA_EXCEEDED: text(
    'The model server limits how much may be denoised privately in a time.',
    'Wait, then press Continue. Your administrator knows the limit.',
  ),
  SLICE_TOO_LARGE: text(
    'The model server takes no slice of this size in private mode.',
    'Choose another mode or model, or tell your administrator.',
  ),
  SESSION_IDLE: text('The model server ended a session that was silent for too long.', 'Press Continue.'),
  TICKET_INVALID: text(
    'The model server does not know the session that it was asked for.',
    'Press Continue. If it happens again, tell your administrator: private mode needs sticky sessions.',
  ),
  UNAUTHENTICATED: text(
    'The model server does not accept your key or login.',
    'Enter the key again or sign in to the viewer again, then test the connection.',
  ),
  MODEL_UNKNOWN: text(
    'The model is no longer on the server.',
    'Press Test connection and choose another model.',
  ),
  MODE_UNSUPPORTED: text('The model no longer offers this mode.', 'Press Test connection and choose again.'),
  PLAN_DIGEST: text(
    'The model on the server was replaced since you chose it.',
    'Press Test connection, then denoise again: a series must come from one model.',
  ),
  FRAME_DIGEST: text(
    'The model on the server was replaced during the run.',
    'Press Test connection, then denoise again: a series must come from one model.',
  ),
  ARCHIVE_UNREACHABLE: text('The image archive cannot be reached.', `Check your network. ${goOn}`),
  ARCHIVE_REFUSED: text(
    'The image archive refuses the request.',
    'You may have to sign in again, or lack the right to store; nothing is lost until you close this page.',
  ),
  WRITE_UNVERIFIED: text(
    'The archive holds something else than was sent.',
    'Save again; if it stays, download the result and tell your PACS administrator.',
  ),
  VIEWER_UNSUPPORTED: text(
    'CipherDose does not know this version of OHIF.',
    'Tell your administrator: it is tested in OHIF 3.11, 3.12 and 3.13.',
  ),
  CANCELLED: text('Cancelled.', 'Nothing more is sent, and the keys are gone. What is done stays.'),
  WORKER_FAILED: text(
    'The encryption stopped unexpectedly.',
    'Reload the page; it needs a browser of 2024 or later.',
  ),
  SEAL_FAILED: text(
    'The encryption could not start.',
    'Reload the page; it needs a browser of 2024 or later.',
  ),
};

/** A failure that is waited for: the run goes on by itself, so that is what is said. */
export function waitingText(error: unknown): FailureText {
  const { title } = failureText(error);
  return { title, advice: 'What is done stays, and the run goes on by itself when it can. Cancel ends it.' };
}

/** Every failure has a text; those that nobody can act on keep their code for a report. */
export function failureText(error: unknown): FailureText {
  const wrapped = DenoiseError.wrap(error, 'UNEXPECTED');
  const { message } = wrapped;
  const code = isGatewayFailure(wrapped) ? 'HOST_UNREACHABLE' : wrapped.code;
  return texts[code] ?? { title: `${message}.`, advice: `Tell your administrator. Code: ${code}.` };
}
