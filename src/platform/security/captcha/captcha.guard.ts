import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { callerOf } from '../../http/caller.decorator.js';
import { Captcha } from './captcha.service.js';

/** Lets a request through that brings a solved CAPTCHA. Stands behind the limits, so that no flood reaches the provider. */
@Injectable()
export class CaptchaGuard implements CanActivate {
  constructor(private readonly captcha: Captcha) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { captcha, address } = callerOf(context.switchToHttp().getRequest<Request>());
    await this.captcha.require(captcha, address);
    return true;
  }
}
