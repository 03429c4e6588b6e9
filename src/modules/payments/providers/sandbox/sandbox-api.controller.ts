import { Body, Controller, Get, HttpCode, Param, Post, Query, UseGuards } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { SkipThrottle } from '@nestjs/throttler';
import { Bare } from '../../../../platform/http/bare.decorator.js';
import { Operates } from '../../../../platform/security/operates.decorator.js';
import { Public } from '../../../../platform/security/public.decorator.js';
import {
  CreateCheckoutDto,
  CreatePayoutDto,
  CreateRefundDto,
  PaidQuery,
  ReferenceQuery,
  SandboxIdParam,
} from './dto/sandbox.dto.js';
import { SandboxCheckoutsService } from './sandbox-checkouts.service.js';
import { SandboxKeyGuard } from './sandbox-key.guard.js';
import { SandboxPayoutsService } from './sandbox-payouts.service.js';
import { SandboxSubscriptionsService } from './sandbox-subscriptions.service.js';
import type { SandboxCheckout, SandboxPayout, SandboxRefund, SandboxSubscription } from './sandbox.types.js';

/** The sandbox as a merchant's program sees it: another party's API, which is no part of ours. */
@ApiExcludeController()
@Public('the merchant shows the key of the sandbox, not a session')
@SkipThrottle({ flood: true, default: true }) // our own processes are its only callers
@UseGuards(SandboxKeyGuard)
@Bare()
@Operates('machine')
@Controller('sandbox/v1')
export class SandboxApiController {
  constructor(
    private readonly checkouts: SandboxCheckoutsService,
    private readonly payouts: SandboxPayoutsService,
    private readonly subscriptions: SandboxSubscriptionsService,
  ) {}

  @Post('checkouts')
  @HttpCode(200)
  async create(@Body() body: CreateCheckoutDto): Promise<SandboxCheckout> {
    return await this.checkouts.create(body);
  }

  @Get('checkouts/paid')
  async paid(@Query() { from, to, after }: PaidQuery): Promise<SandboxCheckout[]> {
    return await this.checkouts.paidBetween(new Date(from), new Date(to), after);
  }

  @Get('checkouts/:id')
  async checkout(@Param() { id }: SandboxIdParam): Promise<SandboxCheckout> {
    return await this.checkouts.get(id);
  }

  @Get('checkouts')
  async checkoutOf(@Query() { merchantReference }: ReferenceQuery): Promise<SandboxCheckout> {
    return await this.checkouts.getByReference(merchantReference);
  }

  @Post('refunds')
  @HttpCode(200)
  async refund(@Body() body: CreateRefundDto): Promise<SandboxRefund> {
    return await this.payouts.refund(body);
  }

  @Get('refunds')
  async refundOf(@Query() { merchantReference }: ReferenceQuery): Promise<SandboxRefund> {
    return await this.payouts.getRefund(merchantReference);
  }

  @Post('payouts')
  @HttpCode(200)
  async payOut(@Body() body: CreatePayoutDto): Promise<SandboxPayout> {
    return await this.payouts.payOut(body);
  }

  @Get('payouts')
  async payoutOf(@Query() { merchantReference }: ReferenceQuery): Promise<SandboxPayout> {
    return await this.payouts.getPayout(merchantReference);
  }

  @Post('subscriptions/:id/cancel')
  @HttpCode(200)
  async cancel(@Param() { id }: SandboxIdParam): Promise<SandboxSubscription> {
    return await this.subscriptions.cancel(id);
  }
}
