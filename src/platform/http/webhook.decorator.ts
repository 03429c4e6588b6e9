import { applyDecorators, HttpCode } from '@nestjs/common';
import { SkipThrottle } from '@nestjs/throttler';
import type { Request } from 'express';
import { Public } from '../security/public.decorator.js';
import { ReadsOwnBody } from './body.guard.js';
import { TextField } from './fields.js';

/** Of a path that ends with the name of who sends. */
export class WebhookParam {
  @TextField({ max: 32, pattern: /^[a-z][a-z0-9_-]*$/, example: 'sandbox' })
  provider: string;
}

/** A route that providers call, of whom the signature over the body says who they are. */
export const ReceivesWebhook = (): MethodDecorator =>
  applyDecorators(
    HttpCode(200),
    Public('the signature says who sends it'),
    SkipThrottle({ default: true }), // a provider sends from a few addresses what all users do; the flood limit holds
    ReadsOwnBody('the signature is over the bytes as they came'),
  );

/** What a signature is over: the body byte for byte, empty when none came, and the headers. */
export function signedOf(request: Request): { rawBody: Buffer; headers: Request['headers'] } {
  const { body, headers } = request as { body: unknown; headers: Request['headers'] };
  return { rawBody: Buffer.isBuffer(body) ? body : Buffer.alloc(0), headers };
}
