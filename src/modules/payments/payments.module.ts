import { type MiddlewareConsumer, Module, type NestModule, RequestMethod } from '@nestjs/common';
import { raw } from 'express';
import { AuthModule } from '../auth/auth.module.js';
import { ComplianceModule } from '../compliance/compliance.module.js';
import { KycModule } from '../compliance/kyc/kyc.module.js';
import { WalletModule } from '../wallet/wallet.module.js';
import { CheckoutService } from './checkout.service.js';
import { CheckoutsRepository } from './checkouts.repository.js';
import { ChecksService } from './checks.service.js';
import { DepositsController } from './deposits.controller.js';
import { DifferencesService } from './differences.service.js';
import { DisputesService } from './disputes.service.js';
import { PaymentProvidersModule } from './payment-providers.module.js';
import { PaymentLimits } from './payment-limits.service.js';
import { PaymentsAdminController } from './payments-admin.controller.js';
import { PaymentsPersonalData } from './payments-personal-data.repository.js';
import { PaymentsUpkeep } from './payments-upkeep.service.js';
import { PaymentsController } from './payments.controller.js';
import { PaymentsPlayedRepository } from './payments-played.repository.js';
import { PaymentsPlayedService } from './payments-played.service.js';
import { PaymentsRepository } from './payments.repository.js';
import { PaymentsService } from './payments.service.js';
import { PayoutPort } from './payout.port.js';
import { ProviderEventsRepository } from './provider-events.repository.js';
import { ProviderEventsService } from './provider-events.service.js';
import { AirtelMoneyModule } from './providers/airtel-money/airtel-money.module.js';
import { MtnMomoModule } from './providers/mtn-momo/mtn-momo.module.js';
import { StripeModule } from './providers/stripe/stripe.module.js';
import { PurchasePort } from './purchase.port.js';
import { PurchasesService } from './purchases.service.js';
import { ReconciliationRepository } from './reconciliation.repository.js';
import { ReconciliationService } from './reconciliation.service.js';
import { RefundsRepository } from './refunds.repository.js';
import { RefundsService } from './refunds.service.js';
import { SettlingService } from './settling.service.js';
import { SubscriptionsRepository } from './subscriptions.repository.js';
import { SubscriptionsService } from './subscriptions.service.js';
import { UnusedPurchasesService } from './unused-purchases.service.js';
import { WebhooksController } from './webhooks.controller.js';

/** The bodies below it are signed as bytes, so that the reader of JSON bodies leaves them alone. */
export const WEBHOOKS = 'payments/webhooks/';

@Module({
  imports: [
    AuthModule,
    ComplianceModule,
    KycModule,
    WalletModule,
    PaymentProvidersModule,
    StripeModule,
    MtnMomoModule,
    AirtelMoneyModule,
  ],
  controllers: [PaymentsController, DepositsController, WebhooksController, PaymentsAdminController],
  providers: [
    CheckoutService,
    PaymentsService,
    PaymentLimits,
    SettlingService,
    RefundsService,
    UnusedPurchasesService,
    DisputesService,
    SubscriptionsService,
    PurchasesService,
    ProviderEventsService,
    ChecksService,
    ReconciliationService,
    DifferencesService,
    PurchasePort,
    PayoutPort,
    PaymentsUpkeep,
    PaymentsRepository,
    CheckoutsRepository,
    RefundsRepository,
    SubscriptionsRepository,
    ProviderEventsRepository,
    ReconciliationRepository,
    PaymentsPersonalData,
    PaymentsPlayedRepository,
    PaymentsPlayedService,
  ],
  exports: [
    PurchasePort,
    PayoutPort,
    ProviderEventsService,
    RefundsService,
    UnusedPurchasesService,
    SubscriptionsService,
    ChecksService,
    ReconciliationService,
  ],
})
export class PaymentsModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer
      .apply(raw({ type: () => true, limit: '512kb' }))
      .forRoutes({ path: `${WEBHOOKS}:provider`, method: RequestMethod.ALL });
  }
}
