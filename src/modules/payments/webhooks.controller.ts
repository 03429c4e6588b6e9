import { Controller, Param, Post, Put, Req } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request } from 'express';
import { ReceivesWebhook, signedOf, WebhookParam } from '../../platform/http/webhook.decorator.js';
import { Operates } from '../../platform/security/operates.decorator.js';
import { ProviderEventsService } from './provider-events.service.js';

/** Where providers tell what has happened. Not for clients, so no part of the document: its body is each provider's own. */
@ApiExcludeController()
@Operates('machine')
@Controller('payments/webhooks')
export class WebhooksController {
  constructor(private readonly events: ProviderEventsService) {}

  @Post(':provider')
  @ReceivesWebhook()
  async receive(@Param() { provider }: WebhookParam, @Req() request: Request): Promise<{ received: true }> {
    await this.events.receive(provider, signedOf(request));
    return { received: true };
  }

  /** MTN calls back by either method, and once. */
  @Put(':provider')
  @ReceivesWebhook()
  async receivePut(@Param() param: WebhookParam, @Req() request: Request): Promise<{ received: true }> {
    return await this.receive(param, request);
  }
}
