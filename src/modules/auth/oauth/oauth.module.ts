import { type MiddlewareConsumer, Module, type NestModule, RequestMethod } from '@nestjs/common';
import { text } from 'express';
import { ComplianceModule } from '../../compliance/compliance.module.js';
import { UsersModule } from '../../users/users.module.js';
import { AuthModule } from '../auth.module.js';
import { BrowserFlowService } from './browser-flow.service.js';
import { IdTokensService } from './id-tokens.service.js';
import { IdentitiesRepository } from './identities.repository.js';
import { IdentitiesService } from './identities.service.js';
import { OAuthBrowserController } from './oauth-browser.controller.js';
import { OAuthFlowsRepository } from './oauth-flows.repository.js';
import { OAuthProvidersService } from './oauth-providers.service.js';
import { OAuthController } from './oauth.controller.js';
import { OAuthService } from './oauth.service.js';
import { ProviderProofsService } from './provider-proofs.service.js';
import { TicketsService } from './tickets.service.js';

/** The one route whose body is a form, so that the reader of JSON bodies leaves it alone. */
export const FORM_ROUTE = { path: 'auth/oauth/apple/callback', method: RequestMethod.POST };

/** Ways in by Google and Apple. */
@Module({
  imports: [UsersModule, ComplianceModule, AuthModule],
  controllers: [OAuthController, OAuthBrowserController],
  providers: [
    OAuthService,
    IdentitiesService,
    IdentitiesRepository,
    BrowserFlowService,
    ProviderProofsService,
    OAuthProvidersService,
    OAuthFlowsRepository,
    IdTokensService,
    TicketsService,
  ],
})
export class OAuthModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(text({ type: 'application/x-www-form-urlencoded', limit: '100kb' })).forRoutes(FORM_ROUTE);
  }
}
