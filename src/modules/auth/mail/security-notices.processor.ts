import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import type { OnModuleInit } from '@nestjs/common';
import type { Job, Queue } from 'bullmq';
import { QUEUES, WORKER_OPTIONS } from '../../../platform/jobs/queues.js';
import type { EventJob, EventType } from '../../../platform/outbox/event.js';
import { EventRoutes } from '../../../platform/outbox/event-routes.js';
import { type IdentityChange, kycChanged } from '../../compliance/kyc/kyc.events.js';
import { privacyEvents } from '../../users/privacy/privacy.events.js';
import { type AccountChange, accountChanged, sessionFamilyRevoked, sessionOpened } from '../auth.events.js';
import { userWarned } from '../admin/moderation.events.js';
import { LOCKED_OUT } from '../lockout/lockout.events.js';
import { accountReclaimed, passwordChanged } from '../password/password.events.js';
import { addressTried } from '../registration/registration.events.js';
import type { Notice } from './mails.js';
import { SecurityNoticesService } from './security-notices.service.js';

const HEARD: readonly (readonly [EventType<{ userId: string | null }>, Notice])[] = [
  [sessionOpened, 'newDevice'],
  [sessionFamilyRevoked, 'familyRevoked'],
  [passwordChanged, 'passwordChanged'],
  [accountReclaimed, 'reclaimed'],
  [LOCKED_OUT, 'lockedOut'],
  [addressTried, 'addressTried'],
  [userWarned, 'warned'],
  [privacyEvents.closing, 'closing'],
];

interface Payload {
  /** Null: nobody is to be told. */
  userId: string | null;
  /** Of accountChanged and kycChanged, and of no other; null: not worth a mail. */
  change?: AccountChange | IdentityChange | null;
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
    this.routes.on(kycChanged, this.queue);
  }

  override async process({ data }: Job<EventJob<Payload & Record<string, unknown>>>): Promise<void> {
    const { change, userId, sessionId } = data.payload;
    const notice = change ?? HEARD.find(([event]) => event.topic === data.topic)?.[1];
    if (notice === undefined || userId === null) return;
    if (notice === 'newDevice' && data.payload.newDevice !== true) return;
    await this.notices.send(notice, { userId, sessionId });
  }
}
