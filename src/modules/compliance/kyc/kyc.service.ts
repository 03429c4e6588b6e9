import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import type { Jurisdiction } from '../../../platform/config/jurisdiction-rules.js';
import { Rules } from '../../../platform/config/rules.js';
import { newId } from '../../../platform/database/ids.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import { AuditService } from '../../../platform/observability/audit.service.js';
import { OutboxService } from '../../../platform/outbox/outbox.service.js';
import { UsersService } from '../../users/users.service.js';
import { kycErrors, kycRequiredErrors } from '../kyc.errors.js';
import { type DocumentKind, missingParts } from './domain/document-parts.js';
import { kycMachine, WAITING_STATES } from './domain/kyc-machine.js';
import { passesThreshold } from './domain/thresholds.js';
import type { AgeDto, KycDto, StartKycDto } from './dto/kyc.dto.js';
import { KycDocumentsRepository } from './kyc-documents.repository.js';
import { KycProviders } from './kyc-provider.js';
import { KycSessionsService, type Offer } from './kyc-sessions.service.js';
import { kycFilesDiscarded } from './kyc.events.js';
import { KycRepository } from './kyc.repository.js';
import { type KycCaseRow, MANUAL } from './kyc.types.js';

const DAY_MS = 86_400_000;

/** What is about to be moved, by whom and where. */
export interface KycQuestion {
  readonly userId: string;
  readonly kind: 'withdrawal' | 'deposit';
  readonly money: { readonly amount: bigint; readonly currency: string };
  /** What counts with it: asked for only of who is not known. */
  readonly before: () => Promise<bigint>;
  readonly jurisdiction: Jurisdiction;
}

/** Knowing who users are: where each stands, beginning, and what must not be done before. */
@Injectable()
export class KycService {
  constructor(
    private readonly repository: KycRepository,
    private readonly documents: KycDocumentsRepository,
    private readonly providers: KycProviders,
    private readonly sessions: KycSessionsService,
    private readonly users: UsersService,
    private readonly audit: AuditService,
    private readonly outbox: OutboxService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /**
   * Refuses what takes somebody who is not known above the place's threshold. Within a transaction that holds the user's row or is in
   * their gate: no decision about them comes in between, and of two that are asked at once the second counts the first. Throws
   * KYC_REQUIRED. UKGC LCCP 17.1.1, MLR 2017 reg. 27: identity is known before that much has moved.
   */
  async requireFor(
    manager: EntityManager,
    { userId, kind, money, before, jurisdiction }: KycQuestion,
  ): Promise<void> {
    const latest = await this.repository.latest(manager, userId);
    if (this.isKnown(latest)) return;
    const { amount, currency } = money;
    const list = kind === 'withdrawal' ? jurisdiction.kyc.withdrawals : jurisdiction.kyc.deposits;
    const threshold = list[currency];
    if (!passesThreshold(threshold, threshold === undefined ? 0n : await before(), amount)) return;
    throw kycRequiredErrors.KYC_REQUIRED({
      kind,
      threshold: threshold ?? 0,
      currency,
      state: latest?.status ?? kycMachine.initial,
      next: 'POST compliance/kyc',
    });
  }

  async status(userId: string): Promise<KycDto> {
    return await this.told(await this.repository.latestOf(userId), null);
  }

  /**
   * Begins, or goes on where it was left: asked fifty times at once it is one case. Throws KYC_ALREADY_VERIFIED, KYC_CLOSED,
   * KYC_TOO_MANY_ATTEMPTS, KYC_TOO_MANY_CHANGES, KYC_PROVIDER_UNAVAILABLE.
   */
  async start(userId: string, body: StartKycDto): Promise<KycDto> {
    const row = await this.unitOfWork.run(async (manager) => {
      await this.users.lock(manager, userId);
      return await this.begin(manager, userId, body);
    });
    if (row.provider === MANUAL || !WAITING_STATES.includes(row.status)) return await this.told(row, null);
    const offer = await this.sessions.open(row);
    return await this.told((await this.repository.find(row.id)) ?? row, offer);
  }

  /** Age is verified with the identity: by the birth date of a document. */
  async age(userId: string, body: StartKycDto): Promise<AgeDto> {
    const before = await this.users.get(userId);
    const kyc = before.ageVerifiedAt === null ? await this.start(userId, body) : await this.status(userId);
    const { birthDate, ageVerifiedAt } = await this.users.get(userId); // a provider may have known by now
    return {
      birthDate,
      verified: ageVerifiedAt !== null,
      verifiedAt: ageVerifiedAt?.toISOString() ?? null,
      kyc,
    };
  }

  /** A case as its user sees it. */
  async told(row: KycCaseRow | null, offer: Offer | null): Promise<KycDto> {
    if (!row) return NOTHING;
    const documents = row.provider === MANUAL ? await this.documents.ofCase(row.id) : [];
    const parts = row.provider === MANUAL ? this.rules.compliance.kyc.parts[row.document_kind] : [];
    const sent = documents.filter(({ round }) => round === row.round).map(({ part }) => part);
    return {
      state: this.isKnown(row) || row.status !== 'verified' ? row.status : 'expired',
      provider: row.provider,
      document: row.document_kind,
      country: row.country,
      parts: [...parts],
      missing: WAITING_STATES.includes(row.status) ? missingParts(parts, sent) : [],
      reason: row.reason,
      url: offer?.url ?? null,
      clientSecret: offer?.clientSecret ?? null,
      startedAt: row.created_at.toISOString(),
      submittedAt: row.submitted_at?.toISOString() ?? null,
      decidedAt: row.decided_at?.toISOString() ?? null,
      expiresAt: row.expires_at?.toISOString() ?? null,
    };
  }

  /** In time even where the deadline's job is late. */
  private isKnown(row: KycCaseRow | null): boolean {
    return row?.status === 'verified' && (row.expires_at === null || row.expires_at > this.clock.now());
  }

  private async begin(manager: EntityManager, userId: string, body: StartKycDto): Promise<KycCaseRow> {
    const { document, country } = body;
    const latest = await this.repository.latest(manager, userId);
    switch (latest?.status) {
      case 'verified':
        throw kycErrors.KYC_ALREADY_VERIFIED({ expiresAt: latest.expires_at?.toISOString() ?? null });
      case 'revoked':
        throw kycErrors.KYC_CLOSED();
      case 'in_review':
        return latest;
      case 'pending':
      case 'resubmit':
        return await this.goOn(manager, latest, { document, country });
      default:
        await this.requireFewAttempts(manager, userId);
        return await this.insert(manager, userId, { document, country });
    }
  }

  /** With another document nothing is kept of what was sent of the one before. */
  private async goOn(
    manager: EntityManager,
    row: KycCaseRow,
    chosen: { document: DocumentKind; country: string },
  ): Promise<KycCaseRow> {
    const { document_kind: document, country, round, changes } = row;
    if (chosen.document === document && chosen.country === country) return row;
    if (changes >= this.rules.compliance.kyc.changes)
      throw kycErrors.KYC_TOO_MANY_CHANGES({ changes, document, country });
    const next = await this.repository.choose(manager, row.id, chosen);
    if (!next) return row;
    const documentIds = await this.documents.forgetRound(manager, row.id, round);
    if (documentIds.length > 0) await this.outbox.publish(manager, kycFilesDiscarded, { documentIds });
    return next;
  }

  private async requireFewAttempts(manager: EntityManager, userId: string): Promise<void> {
    const { attempts, attemptDays } = this.rules.compliance.kyc;
    const since = new Date(this.clock.now().getTime() - attemptDays * DAY_MS);
    const begun = await this.repository.begunSince(manager, userId, since, attempts);
    const [first] = begun;
    if (begun.length < attempts || first === undefined) return;
    const until = new Date(first.getTime() + attemptDays * DAY_MS);
    throw kycErrors.KYC_TOO_MANY_ATTEMPTS({ attempts, until: until.toISOString() });
  }

  private async insert(
    manager: EntityManager,
    userId: string,
    chosen: { document: DocumentKind; country: string },
  ): Promise<KycCaseRow> {
    const id = newId();
    const provider = this.providers.usual?.name ?? MANUAL;
    const row = await this.repository.insert(manager, {
      id,
      userId,
      provider,
      ...chosen,
      now: this.clock.now(),
    });
    await this.audit.record(manager, {
      actorId: userId,
      action: 'kyc.started',
      subjectType: 'kyc_case',
      subjectId: id,
      details: { userId, provider },
    });
    return row;
  }
}

const NOTHING: KycDto = {
  state: kycMachine.initial,
  provider: null,
  document: null,
  country: null,
  parts: [],
  missing: [],
  reason: null,
  url: null,
  clientSecret: null,
  startedAt: null,
  submittedAt: null,
  decidedAt: null,
  expiresAt: null,
};
