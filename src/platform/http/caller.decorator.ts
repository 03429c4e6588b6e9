import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';

const MAX_USER_AGENT = 300;
const FINGERPRINT = /^[\x21-\x7e]{1,128}$/;

/** Where a request comes from, as far as it says. */
export interface Caller {
  /** What the client calls itself, cut to what is kept of it. */
  readonly userAgent: string | null;
  /** The client's address, behind the proxies that are trusted. */
  readonly address: string;
  /** `X-Device-Fingerprint`: what the client's own library makes of the device; null when absent or malformed. */
  readonly fingerprint: string | null;
}

export const CurrentCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const request = context.switchToHttp().getRequest<Request>();
  const fingerprint = request.get('x-device-fingerprint') ?? '';
  return {
    userAgent: request.headers['user-agent']?.slice(0, MAX_USER_AGENT) ?? null,
    address: request.ip ?? '',
    fingerprint: FINGERPRINT.test(fingerprint) ? fingerprint : null,
  };
});
