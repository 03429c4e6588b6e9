import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../config/app-config.js';
import { captchaErrors } from './captcha.errors.js';
import type { CaptchaProvider } from './captcha.provider.js';
import { SiteverifyProvider } from './siteverify.provider.js';

const VERIFY_URLS = {
  hcaptcha: 'https://api.hcaptcha.com/siteverify',
  turnstile: 'https://challenges.cloudflare.com/turnstile/v0/siteverify',
};
const RETRY_AFTER_SECONDS = 10;

/** Asks whoever calls for a solved CAPTCHA, when CAPTCHA_PROVIDER names one; fails closed. */
@Injectable()
export class Captcha {
  private readonly provider: CaptchaProvider | null;

  constructor({ CAPTCHA_PROVIDER: name, CAPTCHA_SECRET, CAPTCHA_VERIFY_URL }: AppConfig) {
    this.provider =
      name === 'off'
        ? null
        : new SiteverifyProvider(name, CAPTCHA_VERIFY_URL ?? VERIFY_URLS[name], CAPTCHA_SECRET ?? '');
  }

  get isOn(): boolean {
    return this.provider !== null;
  }

  /** Throws CAPTCHA_REQUIRED, CAPTCHA_FAILED, CAPTCHA_UNAVAILABLE. */
  async require(token: string | null, address: string): Promise<void> {
    if (this.provider === null) return;
    const { name } = this.provider;
    if (token === null) throw captchaErrors.CAPTCHA_REQUIRED({ provider: name });
    const accepted = await this.provider.accepts(token, address).catch((cause: unknown) => {
      throw captchaErrors.CAPTCHA_UNAVAILABLE({ provider: name, retryAfter: RETRY_AFTER_SECONDS }, { cause });
    });
    if (!accepted) throw captchaErrors.CAPTCHA_FAILED({ provider: name });
  }
}
