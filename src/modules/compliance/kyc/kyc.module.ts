import {
  type MiddlewareConsumer,
  Module,
  type NestModule,
  type OnModuleInit,
  RequestMethod,
} from '@nestjs/common';
import { raw } from 'express';
import { AppConfig } from '../../../platform/config/app-config.js';
import { UsersModule } from '../../users/users.module.js';
import { ComplianceModule } from '../compliance.module.js';
import { DocumentNumbers } from './document-numbers.js';
import { DocumentStore, LocalDocumentStore } from './document-store.js';
import { MEDIA_TYPES } from './domain/file-type.js';
import { KycAdminController } from './kyc-admin.controller.js';
import { KycDocumentsRepository } from './kyc-documents.repository.js';
import { KycDocumentsService } from './kyc-documents.service.js';
import { KycEventsRepository } from './kyc-events.repository.js';
import { KycExclusionsService } from './kyc-exclusions.service.js';
import { KycExpiryService } from './kyc-expiry.service.js';
import { KycHoldersRepository } from './kyc-holders.repository.js';
import { KycOutcomesService } from './kyc-outcomes.service.js';
import { KycPersonalData } from './kyc-personal-data.repository.js';
import { KycProviderEventsService } from './kyc-provider-events.service.js';
import { KycProviders } from './kyc-provider.js';
import { KycReviewService } from './kyc-review.service.js';
import { KycSessionsService } from './kyc-sessions.service.js';
import { KycUpkeep } from './kyc-upkeep.service.js';
import { KycWebhooksController } from './kyc-webhooks.controller.js';
import { KycController } from './kyc.controller.js';
import { KycRepository } from './kyc.repository.js';
import { KycService } from './kyc.service.js';
import { StripeIdentityProvider } from './providers/stripe-identity.provider.js';

/** The bodies below it are signed as bytes, so that the reader of JSON bodies leaves them alone. */
export const KYC_WEBHOOKS = 'compliance/kyc/webhooks/';
/** A file of these types is its body, which is read once the guards have let the request in. */
export const KYC_UPLOADS = { path: 'compliance/kyc/documents', types: MEDIA_TYPES };

/** Knowing who users are: by Stripe Identity where its keys are set, else by uploads that operators look at. */
@Module({
  imports: [ComplianceModule, UsersModule],
  controllers: [KycController, KycAdminController, KycWebhooksController],
  providers: [
    KycService,
    KycSessionsService,
    KycOutcomesService,
    KycDocumentsService,
    KycReviewService,
    KycProviderEventsService,
    KycExpiryService,
    KycExclusionsService,
    KycUpkeep,
    KycProviders,
    DocumentNumbers,
    KycRepository,
    KycDocumentsRepository,
    KycHoldersRepository,
    KycEventsRepository,
    KycPersonalData,
    { provide: DocumentStore, useClass: LocalDocumentStore },
  ],
  exports: [KycService, KycProviderEventsService, KycExpiryService, KycExclusionsService, DocumentStore],
})
export class KycModule implements NestModule, OnModuleInit {
  constructor(
    private readonly providers: KycProviders,
    private readonly config: AppConfig,
  ) {}

  configure(consumer: MiddlewareConsumer): void {
    consumer
      .apply(raw({ type: () => true, limit: '512kb' }))
      .forRoutes({ path: `${KYC_WEBHOOKS}:provider`, method: RequestMethod.ALL });
  }

  onModuleInit(): void {
    const { STRIPE_IDENTITY_KEY: secretKey, STRIPE_IDENTITY_WEBHOOK_SECRET: webhookSecret } = this.config;
    if (secretKey === undefined || webhookSecret === undefined) return;
    this.providers.register(new StripeIdentityProvider({ secretKey, webhookSecret }, this.config));
  }
}
