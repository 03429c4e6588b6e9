import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import type { OnModuleInit } from '@nestjs/common';
import type { Job, Queue } from 'bullmq';
import { deadlineEvent, DeadlinesService } from '../../../platform/jobs/deadlines.service.js';
import { QUEUES, WORKER_OPTIONS } from '../../../platform/jobs/queues.js';
import type { EventJob } from '../../../platform/outbox/event.js';
import { EventRoutes } from '../../../platform/outbox/event-routes.js';
import { SocketsService } from '../../../platform/realtime/sockets.service.js';
import { userAgeChanged } from '../../users/users.events.js';
import { selfExcluded } from '../compliance.events.js';
import { PlaySessionsPort } from '../reality-checks/play-sessions.port.js';
import { DocumentStore } from './document-store.js';
import { KycExclusionsService } from './kyc-exclusions.service.js';
import { KycExpiryService } from './kyc-expiry.service.js';
import { KycProviderEventsService } from './kyc-provider-events.service.js';
import { KYC_DEADLINES, kycChanged, kycEventReceived, kycFilesDiscarded } from './kyc.events.js';
import { kycUpdated } from './kyc.sockets.js';

/** What follows from cases: each may come twice and is done once, or does no harm. */
@Processor(QUEUES.kyc, { ...WORKER_OPTIONS, concurrency: 4 })
export class KycProcessor extends WorkerHost implements OnModuleInit {
  constructor(
    @InjectQueue(QUEUES.kyc) private readonly queue: Queue,
    private readonly routes: EventRoutes,
    private readonly deadlines: DeadlinesService,
    private readonly events: KycProviderEventsService,
    private readonly expiry: KycExpiryService,
    private readonly exclusions: KycExclusionsService,
    private readonly store: DocumentStore,
    private readonly sockets: SocketsService,
    private readonly plays: PlaySessionsPort,
  ) {
    super();
  }

  onModuleInit(): void {
    for (const event of [kycEventReceived, kycChanged, kycFilesDiscarded, userAgeChanged, selfExcluded])
      this.routes.on(event, this.queue);
    this.routes.on(deadlineEvent(KYC_DEADLINES.expire), this.queue);
  }

  override async process(job: Job<EventJob>): Promise<void> {
    const { topic, payload } = job.data;
    switch (topic) {
      case kycEventReceived.topic:
        return await this.events.apply(String(payload['id']));
      case kycFilesDiscarded.topic:
        for (const id of payload['documentIds'] as string[]) await this.store.remove(id);
        return;
      case selfExcluded.topic:
        return await this.exclusions.carryOver(String(payload['userId']));
      case userAgeChanged.topic:
        return await this.plays.get().refreshUser(String(payload['userId']));
      case kycChanged.topic: {
        const { userId, caseId, state } = payload as Required<typeof kycChanged>['payload'];
        // Who was excluded before they were known is so in their other accounts too.
        if (state === 'verified') await this.exclusions.carryOver(userId);
        return await this.sockets.tell({ userId, event: kycUpdated, payload: { id: caseId, state } });
      }
      default:
        return await this.deadlines.perform(
          job.data as unknown as Parameters<DeadlinesService['perform']>[0],
          async (_, caseId) => this.expiry.expire(caseId),
        );
    }
  }
}
