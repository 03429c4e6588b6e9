import { BullRegistrar, WorkerHost } from '@nestjs/bullmq';
import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { DiscoveryService, ModuleRef } from '@nestjs/core';

/**
 * When the processors work. They start once every module is initialised (a job taken before would find ports unfilled),
 * and have ended, each with its job in hand finished, before Redis and Postgres are left.
 */
@Injectable()
export class QueueWorkers implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('QueueWorkers');

  constructor(
    private readonly modules: ModuleRef,
    private readonly discovery: DiscoveryService,
  ) {}

  onApplicationBootstrap(): void {
    this.modules.get(BullRegistrar, { strict: false }).register();
    let lastMessage = '';
    for (const { worker } of this.hosts)
      worker.on('error', ({ message }) => {
        if (message !== lastMessage) this.logger.warn(message);
        lastMessage = message;
      });
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.hosts.map(async ({ worker }) => worker.close()));
  }

  private get hosts(): WorkerHost[] {
    return this.discovery
      .getProviders()
      .map(({ instance }) => instance as unknown)
      .filter((instance) => instance instanceof WorkerHost);
  }
}
