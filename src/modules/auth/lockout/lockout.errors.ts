import { defineErrors } from '../../../platform/http/domain-error.js';
import { captchaErrors } from '../../../platform/security/captcha/captcha.errors.js';

export const lockoutErrors = defineErrors({
  SIGN_IN_LOCKED: {
    status: 429,
    message:
      'Too many wrong attempts. Wait for the seconds told in Retry-After, sign in on a device you used before, or reset the password.',
  },
});

/** What every operation that lets somebody try a secret may answer; see LockoutService.guard. */
export const guessErrors = [lockoutErrors.SIGN_IN_LOCKED, ...Object.values(captchaErrors)] as const;
