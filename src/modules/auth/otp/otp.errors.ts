import { defineErrors } from '../../../platform/http/domain-error.js';

export const otpErrors = defineErrors({
  PHONE_NUMBER_INVALID: {
    status: 422,
    message:
      'No message can be sent to this number. Send a mobile number with its country code, as +12015550123.',
  },
  OTP_INVALID: {
    status: 401,
    message: 'The code is wrong, expired or used, or was tried too often. Ask for a new one.',
  },
  SMS_UNAVAILABLE: {
    status: 503,
    message: 'No text message can be sent now. Try again after Retry-After, or sign in another way.',
  },
  PHONE_TAKEN: { status: 409, message: 'This number belongs to another account.' },
});
