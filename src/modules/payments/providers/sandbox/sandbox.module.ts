import { type DynamicModule, type MiddlewareConsumer, Module, type NestModule } from '@nestjs/common';
import { text } from 'express';
import type { AppConfig } from '../../../../platform/config/app-config.js';
import { PaymentProvidersModule } from '../../payment-providers.module.js';
import { SandboxApiController } from './sandbox-api.controller.js';
import { SandboxBooksRepository } from './sandbox-books.repository.js';
import { SandboxCheckoutsService } from './sandbox-checkouts.service.js';
import { SandboxEventsService } from './sandbox-events.service.js';
import { SandboxKeyGuard } from './sandbox-key.guard.js';
import { SandboxPageController } from './sandbox-page.controller.js';
import { SandboxPagesService } from './sandbox-pages.service.js';
import { SandboxPayoutsService } from './sandbox-payouts.service.js';
import { sandboxIsOn } from './sandbox-settings.js';
import { SandboxSubscriptionsService } from './sandbox-subscriptions.service.js';
import { SandboxProvider } from './sandbox.provider.js';
import { SandboxRepository } from './sandbox.repository.js';

/** Pages whose forms are read here, so that the reader of JSON bodies leaves them alone. */
export const SANDBOX_PAGES = '/sandbox/pay/';

/** The embedded provider: a party of its own, behind HTTP, and the adapter by which payments speak to it. */
@Module({})
export class SandboxModule implements NestModule {
  private static readonly made = new WeakMap<AppConfig, DynamicModule>();

  /** One for each process, whoever imports it: Nest would take two answers for two modules. */
  static forRoot(config: AppConfig): DynamicModule {
    const made = this.made.get(config) ?? this.make(config);
    this.made.set(config, made);
    return made;
  }

  private static make(config: AppConfig): DynamicModule {
    if (!sandboxIsOn(config)) return { module: SandboxModule };
    return {
      module: SandboxModule,
      imports: [PaymentProvidersModule],
      controllers: [SandboxApiController, SandboxPageController],
      providers: [
        SandboxRepository,
        SandboxBooksRepository,
        SandboxEventsService,
        SandboxCheckoutsService,
        SandboxSubscriptionsService,
        SandboxPayoutsService,
        SandboxPagesService,
        SandboxKeyGuard,
        SandboxProvider,
      ],
      exports: [
        SandboxCheckoutsService,
        SandboxEventsService,
        SandboxPayoutsService,
        SandboxSubscriptionsService,
      ],
    };
  }

  configure(consumer: MiddlewareConsumer): void {
    const form = text({ type: 'application/x-www-form-urlencoded', limit: '10kb' });
    consumer.apply(form).forRoutes(`${SANDBOX_PAGES.slice(1)}{*path}`);
  }
}
