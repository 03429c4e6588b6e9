import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import { BarredIdentitiesService } from '../barred-identities.service.js';
import { KycHoldersRepository } from './kyc-holders.repository.js';
import { KycPersonalData } from './kyc-personal-data.repository.js';

/** An exclusion is of a person, not of an account: it reaches all that were verified by the same document (UKGC SR 3.5.3). */
@Injectable()
export class KycExclusionsService {
  constructor(
    private readonly holders: KycHoldersRepository,
    private readonly identities: KycPersonalData,
    private readonly barred: BarredIdentitiesService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /**
   * Excludes every other account of who has excluded themselves, each in a transaction of its own; where they are excluded for as long
   * nothing is changed, nor told, so that what this tells comes to an end. Of who is not excluded it does nothing.
   */
  async carryOver(userId: string): Promise<void> {
    const documents = await this.unitOfWork.run((manager) => this.identities.identitiesOf(manager, userId));
    for (const document of documents) {
      // Whoever is being verified by it now is seen once that is done.
      const others = await this.unitOfWork.run(async (manager) => {
        await this.holders.lock(manager, document);
        return await this.holders.othersVerified(manager, document, userId);
      });
      for (const other of others)
        await this.unitOfWork.run((manager) => this.exclude(manager, other, document));
    }
  }

  private async exclude(manager: EntityManager, userId: string, document: Buffer): Promise<void> {
    await this.holders.lock(manager, document);
    await this.barred.carryOver(manager, userId, [document]);
  }
}
