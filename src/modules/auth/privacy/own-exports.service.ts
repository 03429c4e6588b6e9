import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import type { Subject } from '../../../platform/security/subject.js';
import { ExportsService } from '../../users/privacy/exports.service.js';
import { authErrors } from '../auth.errors.js';
import { RecentProofService } from '../sessions/recent-proof.service.js';
import { SessionsService } from '../sessions.service.js';
import type { ExportDto } from './dto/exports.dto.js';

/** Exports, for who has proved a moment ago to be the user: all there is about them is in one. */
@Injectable()
export class OwnExportsService {
  constructor(
    private readonly exports: ExportsService,
    private readonly sessions: SessionsService,
    private readonly proofs: RecentProofService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** A new export, or the one that is being written. Throws PROOF_TOO_OLD, EXPORT_TOO_SOON. */
  async request(subject: Subject): Promise<ExportDto> {
    return await this.unitOfWork.run(async (manager) => {
      await this.proofs.hold(manager, subject);
      return await this.exports.request(manager, subject);
    });
  }

  /**
   * How far the export is that is being written. Where there is none, what more there is to it asks for more: a link to the
   * finished one, or a new one. Throws REAUTHENTICATION_REQUIRED, PROOF_TOO_OLD, EXPORT_TOO_SOON.
   */
  async find(subject: Subject): Promise<ExportDto> {
    const unfinished = await this.unitOfWork.run((manager) => this.exports.findUnfinished(manager, subject));
    if (unfinished !== null) return unfinished;
    await this.refuseIdle(subject);
    return await this.unitOfWork.run(async (manager) => {
      await this.proofs.hold(manager, subject);
      return await this.exports.find(manager, subject);
    });
  }

  /** The guard lets idle sessions read; this reading is more than that. */
  private async refuseIdle({ sessionId }: Subject): Promise<void> {
    const session = await this.sessions.reread(sessionId);
    if (session === null) throw authErrors.SESSION_ENDED();
    if (session.idle) throw authErrors.REAUTHENTICATION_REQUIRED();
  }
}
