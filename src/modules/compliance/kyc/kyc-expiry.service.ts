import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import { KycOutcomesService } from './kyc-outcomes.service.js';
import { KycRepository } from './kyc.repository.js';

/** The end of what was verified. */
@Injectable()
export class KycExpiryService {
  constructor(
    private readonly repository: KycRepository,
    private readonly outcomes: KycOutcomesService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** What was taken back meanwhile stays so. */
  async expire(caseId: string): Promise<void> {
    const found = await this.repository.find(caseId);
    if (!found) return;
    await this.unitOfWork.run(async (manager) => {
      const held = await this.outcomes.hold(manager, found, null);
      if (held) await this.outcomes.expire(manager, held.row);
    });
  }
}
