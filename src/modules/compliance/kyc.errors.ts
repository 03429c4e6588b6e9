import { defineErrors } from '../../platform/http/domain-error.js';

/** What is asked of who is not known yet. */
export const kycRequiredErrors = defineErrors({
  KYC_REQUIRED: {
    status: 403,
    message: 'Above details.threshold your identity has to be known: POST compliance/kyc.',
  },
});

/** Showing who one is. */
export const kycErrors = defineErrors({
  KYC_ALREADY_VERIFIED: { status: 409, message: 'Your identity is known already.' },
  KYC_IN_REVIEW: { status: 409, message: 'What you have sent is being looked at. Wait for the answer.' },
  KYC_NOT_STARTED: { status: 409, message: 'Nothing is asked of you now. Begin with POST compliance/kyc.' },
  KYC_CLOSED: {
    status: 409,
    message: 'Your identity was found not to be yours. Only our support can begin again.',
  },
  KYC_TOO_MANY_ATTEMPTS: {
    status: 422,
    message: 'You have begun too often. Begin again at details.until, or ask our support.',
  },
  KYC_TOO_MANY_CHANGES: {
    status: 409,
    message: 'You have chosen another document too often. Go on with details.document, or ask our support.',
  },
  KYC_UPLOAD_RUNNING: {
    status: 429,
    message: 'Another upload of yours is under way. Send this one once it is over.',
  },
  KYC_NO_UPLOAD: {
    status: 409,
    message: 'Your documents are taken by the provider: POST compliance/kyc answers where.',
  },
  KYC_PART_NOT_ASKED: {
    status: 422,
    message: 'This document has no such part; details.parts are its parts.',
  },
  KYC_PART_SENT: { status: 409, message: 'This part is here already, and is another file.' },
  KYC_FILE_TYPE: { status: 415, message: 'Send a JPEG, a PNG or a PDF: the bytes are of none of them.' },
  KYC_FILE_EMPTY: {
    status: 400,
    message: 'Send the file itself as the body, as image/jpeg, image/png or application/pdf.',
  },
  KYC_PROVIDER_UNAVAILABLE: {
    status: 503,
    message: 'The provider that looks at documents cannot be reached now. Try again after Retry-After.',
  },
});

/** An operator's work. */
export const kycReviewErrors = defineErrors({
  KYC_CASE_NOT_FOUND: { status: 404, message: 'There is no such case.' },
  KYC_DOCUMENT_NOT_FOUND: { status: 404, message: 'There is no such document in this case.' },
  KYC_CASE_OWN: { status: 403, message: 'Nobody decides about themselves.' },
  KYC_CASE_ALREADY_DECIDED: {
    status: 409,
    message: 'The case is not in a state in which this can be decided.',
  },
  KYC_CHANGED: {
    status: 409,
    message: 'Something else has been shown since you looked: the round is details.round by now. Look again.',
  },
  KYC_DOCUMENT_ELSEWHERE: {
    status: 409,
    message:
      'details.accounts other accounts are verified by this document. Approve it with secondAccount, or do not.',
  },
  KYC_BIRTH_DATE_NEEDED: { status: 422, message: 'Say which birth date the document shows.' },
  KYC_REASON_NEEDED: { status: 422, message: 'Say why: one of the reasons.' },
  KYC_DOCUMENT_EXPIRED: { status: 422, message: 'The document is not valid any more.' },
  KYC_IDENTITY_BANNED: {
    status: 409,
    message: 'Somebody with this document is banned, until details.until.',
  },
});

export const kycWebhookErrors = defineErrors({
  KYC_WEBHOOK_INVALID: {
    status: 401,
    message: 'The webhook is not signed by the provider, too old, or cannot be read.',
  },
  KYC_PROVIDER_UNKNOWN: { status: 404, message: 'There is no such provider here.' },
});
