import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import type { OnModuleInit } from '@nestjs/common';
import type { Job, Queue } from 'bullmq';
import {
  type DeadlinePayload,
  deadlineEvent,
  DeadlinesService,
} from '../../../../platform/jobs/deadlines.service.js';
import { QUEUES, WORKER_OPTIONS } from '../../../../platform/jobs/queues.js';
import type { EventJob } from '../../../../platform/outbox/event.js';
import { EventRoutes } from '../../../../platform/outbox/event-routes.js';
import { SandboxCheckoutsService } from './sandbox-checkouts.service.js';
import { SANDBOX_DEADLINES, SandboxEventsService } from './sandbox-events.service.js';
import { SandboxPayoutsService } from './sandbox-payouts.service.js';
import { SandboxSubscriptionsService } from './sandbox-subscriptions.service.js';

/** What the sandbox does by itself: telling the merchant, and whatever comes later. */
@Processor(QUEUES.sandbox, { ...WORKER_OPTIONS, concurrency: 4 })
export class SandboxProcessor extends WorkerHost implements OnModuleInit {
  private readonly works: Readonly<Record<string, (subject: string) => Promise<void>>>;

  constructor(
    @InjectQueue(QUEUES.sandbox) private readonly queue: Queue,
    private readonly routes: EventRoutes,
    private readonly deadlines: DeadlinesService,
    events: SandboxEventsService,
    checkouts: SandboxCheckoutsService,
    payouts: SandboxPayoutsService,
    subscriptions: SandboxSubscriptionsService,
  ) {
    super();
    this.works = {
      [SANDBOX_DEADLINES.webhook]: (subject) => events.deliver(subject),
      [SANDBOX_DEADLINES.expiry]: (id) => checkouts.expire(id),
      [SANDBOX_DEADLINES.latePayment]: (id) => checkouts.payLate(id),
      [SANDBOX_DEADLINES.payout]: (id) => payouts.endPayout(id),
      [SANDBOX_DEADLINES.renewal]: (id) => subscriptions.renew(id),
    };
  }

  onModuleInit(): void {
    for (const kind of Object.values(SANDBOX_DEADLINES)) this.routes.on(deadlineEvent(kind), this.queue);
  }

  override async process(job: Job<EventJob<DeadlinePayload>>): Promise<void> {
    await this.deadlines.perform(job.data, async (kind, subject) => this.works[kind]?.(subject));
  }
}
