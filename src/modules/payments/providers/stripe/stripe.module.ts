import { Module, type OnModuleInit } from '@nestjs/common';
import { Clock } from '../../../../platform/clock/clock.js';
import { AppConfig } from '../../../../platform/config/app-config.js';
import { PaymentProviders } from '../../payment-providers.js';
import { PaymentProvidersModule } from '../../payment-providers.module.js';
import { StripeProvider } from './stripe.provider.js';

/** Stripe is on where its keys are set. */
@Module({ imports: [PaymentProvidersModule] })
export class StripeModule implements OnModuleInit {
  constructor(
    private readonly providers: PaymentProviders,
    private readonly config: AppConfig,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    const { STRIPE_SECRET_KEY: secretKey, STRIPE_WEBHOOK_SECRET: webhookSecret } = this.config;
    if (secretKey === undefined || webhookSecret === undefined) return;
    this.providers.register(new StripeProvider({ secretKey, webhookSecret }, this.config, this.clock));
  }
}
