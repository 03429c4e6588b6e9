import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import type { OnModuleInit } from '@nestjs/common';
import type { Job, Queue } from 'bullmq';
import {
  type DeadlinePayload,
  deadlineEvent,
  DeadlinesService,
} from '../../../platform/jobs/deadlines.service.js';
import { QUEUES, WORKER_OPTIONS } from '../../../platform/jobs/queues.js';
import type { EventJob } from '../../../platform/outbox/event.js';
import { EventRoutes } from '../../../platform/outbox/event-routes.js';
import { PayoutsService } from './payouts.service.js';
import { WITHDRAWAL_DEADLINES, withdrawalApproved } from './withdrawals.events.js';

/** Payouts to make, and payouts to ask about. */
@Processor(QUEUES.withdrawals, { ...WORKER_OPTIONS, concurrency: 4 })
export class WithdrawalsProcessor extends WorkerHost implements OnModuleInit {
  constructor(
    @InjectQueue(QUEUES.withdrawals) private readonly queue: Queue,
    private readonly routes: EventRoutes,
    private readonly deadlines: DeadlinesService,
    private readonly payouts: PayoutsService,
  ) {
    super();
  }

  onModuleInit(): void {
    this.routes.on(withdrawalApproved, this.queue);
    this.routes.on(deadlineEvent(WITHDRAWAL_DEADLINES.ask), this.queue);
  }

  override async process({ data }: Job<EventJob>): Promise<void> {
    if (data.topic === withdrawalApproved.topic)
      return await this.payouts.pay(String(data.payload['withdrawalId']));
    await this.deadlines.perform(data as unknown as EventJob<DeadlinePayload>, async (_, id) =>
      this.payouts.pay(id),
    );
  }
}
