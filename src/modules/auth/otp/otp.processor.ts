import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import type { OnModuleInit } from '@nestjs/common';
import type { Job, Queue } from 'bullmq';
import { QUEUES, WORKER_OPTIONS } from '../../../platform/jobs/queues.js';
import type { EventJob } from '../../../platform/outbox/event.js';
import { EventRoutes } from '../../../platform/outbox/event-routes.js';
import { OtpDeliveryService } from './otp-delivery.service.js';
import { OTP_REQUESTED } from './otp.events.js';

/** Codes on their way to telephones. Provider and network take their time: several at once. */
@Processor(QUEUES.otpSend, { ...WORKER_OPTIONS, concurrency: 20 })
export class OtpProcessor extends WorkerHost implements OnModuleInit {
  constructor(
    @InjectQueue(QUEUES.otpSend) private readonly queue: Queue,
    private readonly routes: EventRoutes,
    private readonly delivery: OtpDeliveryService,
  ) {
    super();
  }

  onModuleInit(): void {
    this.routes.on(OTP_REQUESTED, this.queue);
  }

  override async process({ data }: Job<EventJob<{ challengeId: string }>>): Promise<void> {
    await this.delivery.deliver(data.payload.challengeId);
  }
}
