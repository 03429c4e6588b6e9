import { Controller, HttpCode, Param, Post, Req } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { SkipThrottle } from '@nestjs/throttler';
import type { Request } from 'express';
import { ReadsOwnBody } from '../../../platform/http/body.guard.js';
import { TextField } from '../../../platform/http/fields.js';
import { Operates } from '../../../platform/security/operates.decorator.js';
import { Public } from '../../../platform/security/public.decorator.js';
import { KycProviderEventsService } from './kyc-provider-events.service.js';

class ProviderParam {
  @TextField({ max: 32, pattern: /^[a-z][a-z0-9_-]*$/, example: 'stripe-identity' })
  provider: string;
}

/** Where providers tell what has happened. Not for clients, so no part of the document: its body is each provider's own. */
@ApiExcludeController()
@Operates('machine')
@Controller('compliance/kyc/webhooks')
export class KycWebhooksController {
  constructor(private readonly events: KycProviderEventsService) {}

  @Post(':provider')
  @HttpCode(200)
  @Public('the signature says who sends it')
  @SkipThrottle({ default: true }) // a provider sends from a few addresses what all users do; the flood limit holds
  @ReadsOwnBody('the signature is over the bytes as they came')
  async receive(@Param() { provider }: ProviderParam, @Req() request: Request): Promise<{ received: true }> {
    const { body, headers } = request as { body: unknown; headers: Request['headers'] };
    await this.events.receive(provider, { rawBody: Buffer.isBuffer(body) ? body : Buffer.alloc(0), headers });
    return { received: true };
  }
}
