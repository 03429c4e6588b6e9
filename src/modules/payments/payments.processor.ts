import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import type { OnModuleInit } from '@nestjs/common';
import type { Job, Queue } from 'bullmq';
import { QUEUES, WORKER_OPTIONS } from '../../platform/jobs/queues.js';
import type { EventJob } from '../../platform/outbox/event.js';
import { EventRoutes } from '../../platform/outbox/event-routes.js';
import { selfExcluded } from '../compliance/compliance.events.js';
import { privacyEvents } from '../users/privacy/privacy.events.js';
import { providerEventReceived, refundRequested, subscriptionEnding } from './payments.events.js';
import { ProviderEventsService } from './provider-events.service.js';
import { RefundsService } from './refunds.service.js';
import { SubscriptionsService } from './subscriptions.service.js';

/** What providers have told, and what they are to be told. Each may come twice and is done once. */
@Processor(QUEUES.payments, { ...WORKER_OPTIONS, concurrency: 8 })
export class PaymentsProcessor extends WorkerHost implements OnModuleInit {
  constructor(
    @InjectQueue(QUEUES.payments) private readonly queue: Queue,
    private readonly routes: EventRoutes,
    private readonly events: ProviderEventsService,
    private readonly refunds: RefundsService,
    private readonly subscriptions: SubscriptionsService,
  ) {
    super();
  }

  onModuleInit(): void {
    const heard = [
      providerEventReceived,
      refundRequested,
      subscriptionEnding,
      privacyEvents.closing,
      selfExcluded,
    ];
    for (const event of heard) this.routes.on(event, this.queue);
  }

  override async process(job: Job<EventJob>): Promise<void> {
    const { topic, payload } = job.data;
    switch (topic) {
      case providerEventReceived.topic:
        return await this.events.apply(String(payload['id']));
      case refundRequested.topic:
        return await this.refunds.perform(String(payload['refundId']));
      case privacyEvents.closing.topic:
      case selfExcluded.topic:
        return await this.subscriptions.leave(String(payload['userId']));
      default:
        return await this.subscriptions.tellEnding(String(payload['subscriptionId']));
    }
  }
}
