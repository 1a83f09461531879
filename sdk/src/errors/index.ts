export { DenoiseError, type ErrorDetails, type SerialisedError } from './denoise-error.ts';
export { errorTable, isErrorCode, type ErrorCode, type ErrorEntry } from './error-table.ts';
