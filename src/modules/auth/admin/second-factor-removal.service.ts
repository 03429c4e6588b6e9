import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import type { Subject } from '../../../platform/security/subject.js';
import { AccountChangesService } from '../account-changes.service.js';
import { RecentProofService } from '../sessions/recent-proof.service.js';
import { SessionsService } from '../sessions.service.js';
import { SecondFactorsService } from '../totp/second-factors.service.js';
import { totpErrors } from '../totp/totp.errors.js';
import { adminErrors } from './admin.errors.js';
import { StandingChangesService } from './standing-changes.service.js';

/** Taking the second factor away from a user who has lost it and the recovery codes. */
@Injectable()
export class SecondFactorRemovalService {
  constructor(
    private readonly standing: StandingChangesService,
    private readonly factors: SecondFactorsService,
    private readonly sessions: SessionsService,
    private readonly proofs: RecentProofService,
    private readonly changes: AccountChangesService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /**
   * Ends the user's sessions, and tells the user by mail. Throws PROOF_TOO_OLD of the operator's own session, USER_NOT_FOUND,
   * NOT_YOURS_TO_JUDGE, USER_ERASED, TOTP_NOT_ON.
   */
  async remove(subject: Subject, userId: string): Promise<void> {
    await this.proofs.require(subject);
    await this.unitOfWork.run(async (manager) => {
      const { target } = await this.standing.begin(manager, subject, userId, { bans: false });
      if (target.status === 'erased') throw adminErrors.USER_ERASED();
      await this.sessions.endAll(manager, userId, 'second_factor_removed');
      if (!(await this.factors.remove(manager, userId))) throw totpErrors.TOTP_NOT_ON();
      await this.changes.tell(manager, userId, 'secondFactorRemoved', { actorId: subject.userId });
    });
  }
}
