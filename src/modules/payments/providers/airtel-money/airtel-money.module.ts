import { Module, type OnModuleInit } from '@nestjs/common';
import { AppConfig } from '../../../../platform/config/app-config.js';
import { PaymentProviders } from '../../payment-providers.js';
import { PaymentProvidersModule } from '../../payment-providers.module.js';
import { AirtelMoneyProvider } from './airtel-money.provider.js';

/** Off without AIRTEL_CLIENT_ID. */
@Module({ imports: [PaymentProvidersModule] })
export class AirtelMoneyModule implements OnModuleInit {
  constructor(
    private readonly config: AppConfig,
    private readonly providers: PaymentProviders,
  ) {}

  onModuleInit(): void {
    if (this.config.AIRTEL_CLIENT_ID !== undefined)
      this.providers.register(new AirtelMoneyProvider(this.config));
  }
}
