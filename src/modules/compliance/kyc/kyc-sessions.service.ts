import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AppConfig } from '../../../platform/config/app-config.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import { PlaySessionsPort } from '../reality-checks/play-sessions.port.js';
import { DocumentNumbers } from './document-numbers.js';
import { WAITING_STATES } from './domain/kyc-machine.js';
import { KycOutcomesService } from './kyc-outcomes.service.js';
import { KycProviders, type KycSession } from './kyc-provider.js';
import { KycRepository } from './kyc.repository.js';
import { BY_ITSELF, DOCUMENT_ELSEWHERE, type KycCaseRow } from './kyc.types.js';

/** Where somebody goes on at a provider. */
export type Offer = Pick<KycSession, 'url' | 'clientSecret'>;

/** Somebody with the same document is banned: an operator decides. */
const BANNED = 'banned_document';
const NO_BIRTH_DATE = 'no_birth_date';

/** Cases that a provider looks at: sending somebody there, and taking over what it has found. */
@Injectable()
export class KycSessionsService {
  constructor(
    private readonly repository: KycRepository,
    private readonly outcomes: KycOutcomesService,
    private readonly providers: KycProviders,
    private readonly plays: PlaySessionsPort,
    private readonly numbers: DocumentNumbers,
    private readonly unitOfWork: UnitOfWork,
    private readonly config: AppConfig,
  ) {}

  /**
   * The session in which a waiting case goes on: the one that is open, or a new one. What the provider has found meanwhile, and could not tell
   * us, is taken over; then nothing is left to do and null is answered. Throws KYC_PROVIDER_UNAVAILABLE.
   */
  async open(row: KycCaseRow): Promise<Offer | null> {
    const provider = this.providers.get(row.provider);
    const reference = row.provider_reference;
    const found = reference === null ? null : await provider.fetchSession(reference);
    if (found?.status === 'open') return found;
    const current = found === null ? row : await this.takeOver(row, found);
    if (current === null || !WAITING_STATES.includes(current.status)) return null;
    const session = await provider.createSession({
      key: `kyc:${current.id}:${current.round}`,
      caseId: current.id,
      document: current.document_kind,
      returnUrl: `${this.config.APP_URL}/verification`,
    });
    await this.unitOfWork.run((manager) =>
      this.repository.noteReference(manager, current.id, session.reference),
    );
    return session;
  }

  /** Applies a provider's present word in a transaction of its own; the case as it is then. */
  async takeOver(row: KycCaseRow, session: KycSession): Promise<KycCaseRow | null> {
    await this.unitOfWork.run((manager) => this.apply(manager, row, session));
    await this.plays.get().refreshUser(row.user_id);
    return await this.repository.find(row.id);
  }

  /**
   * Whether it changed anything: the same word may come often, late, and after others. Of a session that the case has left for another, or
   * that an operator has declared void, nothing is taken over: it says verified for ever.
   */
  async apply(
    manager: EntityManager,
    { id, user_id }: Pick<KycCaseRow, 'id' | 'user_id'>,
    session: KycSession,
  ): Promise<boolean> {
    const numberIndex = session.status === 'verified' ? this.indexOf(session) : null;
    const held = await this.outcomes.hold(manager, { id, user_id }, numberIndex);
    if (!held) return false;
    const { row, ban, elsewhere } = held;
    const { reference } = session;
    if (row.void_references.includes(reference) || (row.provider_reference ?? reference) !== reference)
      return false;
    switch (session.status) {
      case 'processing':
        return (await this.outcomes.submit(manager, row)) !== null;
      case 'open':
        return session.failure !== null && (await this.failed(manager, row, session.failure));
      case 'gone':
        return await this.failed(manager, row, 'cancelled');
      default:
        break;
    }
    const { birthDate } = session;
    const doubt = ban ? BANNED : elsewhere > 0 ? DOCUMENT_ELSEWHERE : null;
    if (doubt !== null || birthDate === null) {
      const submitted = await this.outcomes.submit(manager, row);
      // What is redacted tells nothing any more, and takes no doubt back.
      const before = row.status === 'in_review' ? row.reason : null;
      await this.repository.explain(manager, id, doubt ?? before ?? NO_BIRTH_DATE, numberIndex);
      return submitted !== null;
    }
    const documentEnds = session.document?.ends ?? null;
    return (
      (await this.outcomes.verify(manager, row, { birthDate, numberIndex, documentEnds }, BY_ITSELF)) !== null
    );
  }

  private async failed(manager: EntityManager, row: KycCaseRow, reason: string): Promise<boolean> {
    return (await this.outcomes.askAgain(manager, row, { ...BY_ITSELF, reason })) !== null;
  }

  private indexOf({ document }: KycSession): Buffer | null {
    if (document?.kind == null || document.country === null) return null;
    return this.numbers.of(document.kind, document.country, document.number);
  }
}
