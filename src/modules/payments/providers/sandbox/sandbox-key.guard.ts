import { timingSafeEqual } from 'node:crypto';
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { AppConfig } from '../../../../platform/config/app-config.js';
import { authErrors } from '../../../auth/auth.errors.js';
import { sandboxSettings } from './sandbox-settings.js';

/** The merchant, by the key that the sandbox gave it. */
@Injectable()
export class SandboxKeyGuard implements CanActivate {
  private readonly expected: Buffer;

  constructor(config: AppConfig) {
    this.expected = Buffer.from(`Bearer ${sandboxSettings(config).apiKey}`);
  }

  canActivate(context: ExecutionContext): boolean {
    const { authorization = '' } = context.switchToHttp().getRequest<Request>().headers;
    const given = Buffer.from(authorization);
    if (given.length !== this.expected.length || !timingSafeEqual(given, this.expected))
      throw authErrors.UNAUTHENTICATED();
    return true;
  }
}
