import { defineErrors } from './domain-error.js';

/** Codes that any operation may answer. */
export const httpErrors = defineErrors({
  VALIDATION_FAILED: {
    status: 400,
    message: 'The request has fields that are missing, unknown or of the wrong form.',
  },
  MALFORMED_JSON: { status: 400, message: 'The request body is not valid JSON.' },
  BODY_TOO_LARGE: { status: 413, message: 'The request body is larger than this API accepts.' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, message: 'Send the request body as application/json in UTF-8.' },
  INVALID_CURSOR: { status: 400, message: 'The cursor was not made by this list. Start again without it.' },
  NOT_FOUND: { status: 404, message: 'There is nothing here, or it is not yours to see.' },
  IDEMPOTENCY_KEY_REQUIRED: {
    status: 400,
    message: 'Send an Idempotency-Key header (1 to 255 printable characters), new for each intended effect.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    status: 422,
    message: 'This Idempotency-Key was used with another body. Use a new key for a new request.',
  },
  RATE_LIMITED: { status: 429, message: 'Too many requests. Wait for the seconds told in Retry-After.' },
  INTERNAL_ERROR: {
    status: 500,
    message: 'Something failed on our side. Quote the requestId when you report it.',
  },
  SERVICE_UNAVAILABLE: {
    status: 503,
    message: 'A part this needs is not reachable now. Try again after Retry-After.',
  },
});
