import { errorBodySchema } from '@cipherdose/sdk/protocol';

/** Failures that every route may answer with. */
export const failures = {
  '4xx': errorBodySchema.describe('The request was refused; the code says why'),
  '5xx': errorBodySchema.describe('The host cannot answer now; the code says why'),
};
