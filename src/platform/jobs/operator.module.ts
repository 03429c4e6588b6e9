import { type DynamicModule, Module } from '@nestjs/common';
import type { AppConfig } from '../config/app-config.js';
import { ClockController } from '../clock/clock.controller.js';
import { QueuesController } from './queues.controller.js';

/** What an operator sees of the queues; and, never in production, the hand on the clock. */
@Module({})
export class OperatorModule {
  static forRoot(config: AppConfig): DynamicModule {
    return {
      module: OperatorModule,
      controllers: [QueuesController, ...(config.CLOCK_MODE === 'movable' ? [ClockController] : [])],
    };
  }
}
