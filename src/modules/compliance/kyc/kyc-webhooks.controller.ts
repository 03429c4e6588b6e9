import { Controller, Param, Post, Req } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request } from 'express';
import { ReceivesWebhook, signedOf, WebhookParam } from '../../../platform/http/webhook.decorator.js';
import { Operates } from '../../../platform/security/operates.decorator.js';
import { KycProviderEventsService } from './kyc-provider-events.service.js';

/** Where providers tell what has happened. Not for clients, so no part of the document: its body is each provider's own. */
@ApiExcludeController()
@Operates('machine')
@Controller('compliance/kyc/webhooks')
export class KycWebhooksController {
  constructor(private readonly events: KycProviderEventsService) {}

  @Post(':provider')
  @ReceivesWebhook()
  async receive(@Param() { provider }: WebhookParam, @Req() request: Request): Promise<{ received: true }> {
    await this.events.receive(provider, signedOf(request));
    return { received: true };
  }
}
