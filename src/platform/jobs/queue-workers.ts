import { BullRegistrar, ProcessorDecoratorService, WorkerHost } from '@nestjs/bullmq';
import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { DiscoveryService, ModuleRef } from '@nestjs/core';
import { CLS_ID, ClsService } from 'nestjs-cls';
import type { EventJob } from '../outbox/event.js';

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
    private readonly cls: ClsService,
  ) {}

  onApplicationBootstrap(): void {
    this.carryRequests();
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

  /** What a job writes (log, audit rows, events) names the request that caused it, however many jobs lie between. */
  private carryRequests(): void {
    const decorator = this.modules.get(ProcessorDecoratorService, { strict: false });
    decorator.decorate =
      (processor) =>
      async (job, ...rest): Promise<unknown> => {
        const requestId = (job.data as Partial<EventJob> | undefined)?.requestId;
        const work = async (): Promise<unknown> => processor(job, ...rest);
        return await (requestId == null ? work() : this.cls.runWith({ [CLS_ID]: requestId }, work));
      };
  }

  private get hosts(): WorkerHost[] {
    return this.discovery
      .getProviders()
      .map(({ instance }) => instance as unknown)
      .filter((instance) => instance instanceof WorkerHost);
  }
}
