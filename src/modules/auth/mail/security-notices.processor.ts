import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import type { OnModuleInit } from '@nestjs/common';
import type { Job, Queue } from 'bullmq';
import { QUEUES, WORKER_OPTIONS } from '../../../platform/jobs/queues.js';
import type { EventJob, EventType } from '../../../platform/outbox/event.js';
import { EventRoutes } from '../../../platform/outbox/event-routes.js';
import { privacyEvents } from '../../users/privacy/privacy.events.js';
import { type AccountChange, accountChanged, sessionFamilyRevoked, sessionOpened } from '../auth.events.js';
import { LOCKED_OUT } from '../lockout/lockout.events.js';
import { accountReclaimed, passwordChanged } from '../password/password.events.js';
import type { Notice } from './mails.js';
import { SecurityNoticesService } from './security-notices.service.js';

const HEARD: readonly (readonly [EventType<{ userId: string }>, Notice])[] = [
  [sessionOpened, 'newDevice'],
  [sessionFamilyRevoked, 'familyRevoked'],
  [passwordChanged, 'passwordChanged'],
  [accountReclaimed, 'reclaimed'],
  [LOCKED_OUT, 'lockedOut'],
  [privacyEvents.closing, 'closing'],
];

interface Payload {
  userId: string;
  change?: AccountChange;
  sessionId?: string;
  newDevice?: boolean;
}

/** What users are told by mail of their account's security. */
@Processor(QUEUES.securityNotices, { ...WORKER_OPTIONS, concurrency: 4 })
export class SecurityNoticesProcessor extends WorkerHost implements OnModuleInit {
  constructor(
    @InjectQueue(QUEUES.securityNotices) private readonly queue: Queue,
    private readonly routes: EventRoutes,
    private readonly notices: SecurityNoticesService,
  ) {
    super();
  }

  onModuleInit(): void {
    for (const [event] of HEARD) this.routes.on(event, this.queue);
    this.routes.on(accountChanged, this.queue);
  }

  override async process({ data }: Job<EventJob<Payload & Record<string, unknown>>>): Promise<void> {
    const { change } = data.payload; // of accountChanged, and of no other
    const notice = change ?? HEARD.find(([event]) => event.topic === data.topic)?.[1];
    if (notice === undefined || (notice === 'newDevice' && data.payload.newDevice !== true)) return;
    await this.notices.send(notice, data.payload);
  }
}
