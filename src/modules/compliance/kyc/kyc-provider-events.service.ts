import { Injectable } from '@nestjs/common';
import { Clock } from '../../../platform/clock/clock.js';
import { newId } from '../../../platform/database/ids.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import { OutboxService } from '../../../platform/outbox/outbox.service.js';
import { PlaySessionsPort } from '../reality-checks/play-sessions.port.js';
import { KycEventsRepository } from './kyc-events.repository.js';
import { KycProviders, type KycWebhookRequest } from './kyc-provider.js';
import { KycSessionsService } from './kyc-sessions.service.js';
import { kycEventReceived } from './kyc.events.js';
import { KycRepository } from './kyc.repository.js';
import type { KycCaseRow } from './kyc.types.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What providers tell: verified and stored at the door, applied by the worker, once each. */
@Injectable()
export class KycProviderEventsService {
  constructor(
    private readonly repository: KycEventsRepository,
    private readonly cases: KycRepository,
    private readonly sessions: KycSessionsService,
    private readonly providers: KycProviders,
    private readonly plays: PlaySessionsPort,
    private readonly outbox: OutboxService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** Throws KYC_WEBHOOK_INVALID, KYC_PROVIDER_UNKNOWN. What was here already is answered alike, so that nobody sends it again. */
  async receive(providerName: string, request: KycWebhookRequest): Promise<void> {
    const event = this.providers.get(providerName).parseWebhook(request);
    if (event === null) return;
    const about = await this.subjectOf(providerName, event.reference, event.caseId);
    if (!about) return; // of somebody else's business with this provider
    await this.unitOfWork.run(async (manager) => {
      const id = newId();
      const row = { id, provider: providerName, provider_reference: event.reference, case_id: about.id };
      const { eventId, type } = event;
      if (await this.repository.insert(manager, { ...row, eventId, type, now: this.clock.now() }))
        await this.outbox.publish(manager, kycEventReceived, { id });
    });
  }

  /** Asks the provider what it has come to, and takes that over. Throws KYC_PROVIDER_UNAVAILABLE: it is tried again. */
  async apply(id: string): Promise<void> {
    const event = await this.repository.find(id);
    const row = event?.case_id == null ? null : await this.cases.find(event.case_id);
    if (!event || !row) return;
    const session = await this.providers.get(event.provider).fetchSession(event.provider_reference);
    await this.unitOfWork.run(async (manager) => {
      if (!(await this.repository.lockUnapplied(manager, id))) return;
      const changed = session !== null && (await this.sessions.apply(manager, row, session));
      const outcome = session === null ? 'unknown' : changed ? 'applied' : 'stale';
      await this.repository.finish(manager, id, outcome, this.clock.now());
    });
    await this.plays.get().refreshUser(row.user_id);
  }

  /** An event may be here before the answer that would have told us the reference: it carries our id. */
  private async subjectOf(
    provider: string,
    reference: string,
    caseId: string | null,
  ): Promise<KycCaseRow | null> {
    const found = await this.cases.findByReference(provider, reference);
    if (found || caseId === null || !UUID.test(caseId)) return found;
    const named = await this.cases.find(caseId);
    return named?.provider === provider ? named : null;
  }
}
