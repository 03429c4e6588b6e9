import { defineErrors } from '../../http/domain-error.js';

/** Every operation that is decorated `@AsksCaptcha` answers these. */
export const captchaErrors = defineErrors({
  CAPTCHA_REQUIRED: {
    status: 403,
    message: 'Solve the CAPTCHA of the provider named and send its token as X-Captcha-Token.',
  },
  CAPTCHA_FAILED: {
    status: 403,
    message: 'The provider does not accept this CAPTCHA token; each serves once. Solve a new one.',
  },
  CAPTCHA_UNAVAILABLE: {
    status: 503,
    message: 'The provider of the CAPTCHA does not answer now. Try again after Retry-After.',
  },
});
