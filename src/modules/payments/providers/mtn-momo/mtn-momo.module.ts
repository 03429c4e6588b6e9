import { Module, type OnModuleInit } from '@nestjs/common';
import { AppConfig } from '../../../../platform/config/app-config.js';
import { PaymentProviders } from '../../payment-providers.js';
import { PaymentProvidersModule } from '../../payment-providers.module.js';
import { MtnMomoProvider } from './mtn-momo.provider.js';

/** Off without MTN_MOMO_COLLECTION_USER. */
@Module({ imports: [PaymentProvidersModule] })
export class MtnMomoModule implements OnModuleInit {
  constructor(
    private readonly config: AppConfig,
    private readonly providers: PaymentProviders,
  ) {}

  onModuleInit(): void {
    if (this.config.MTN_MOMO_COLLECTION_USER !== undefined)
      this.providers.register(new MtnMomoProvider(this.config));
  }
}
