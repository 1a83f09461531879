export { DenoiseError, type ErrorDetails, type SerialisedError } from './denoise-error.ts';
export { errorTable, isErrorCode, type ErrorCode } from './error-table.ts';
