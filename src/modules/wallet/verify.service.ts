import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { AuditService } from '../../platform/observability/audit.service.js';
import { MetricsService } from '../../platform/observability/metrics.service.js';
import { verifyErrors } from './verify.errors.js';
import { VerifyRepository } from './verify.repository.js';
import type { LedgerReport } from './verify.types.js';

const ACTION = 'ledger.verified';

/** Proves the ledger: every rule that money is kept by, at one moment of the database, beside the running system. */
@Injectable()
export class VerifyService implements OnModuleInit {
  private readonly logger = new Logger('Ledger');

  constructor(
    private readonly repository: VerifyRepository,
    private readonly audit: AuditService,
    private readonly unitOfWork: UnitOfWork,
    private readonly metrics: MetricsService,
  ) {}

  /** What the last verification found, whichever process ran it: the audit log tells all of them. */
  onModuleInit(): void {
    this.metrics.gauge(
      'parley_ledger_broken_rules',
      'Rules of the ledger that did not hold when it was last verified',
      [],
      async (figure) => {
        const last = await this.repository.lastOf(ACTION);
        if (last) figure.set(last.broken);
      },
    );
    this.metrics.gauge(
      'parley_ledger_verified_timestamp_seconds',
      'When the ledger was last verified',
      [],
      async (figure) => {
        const last = await this.repository.lastOf(ACTION);
        if (last) figure.set(last.seconds);
      },
    );
  }

  /** Looks at everything once, and changes nothing but the audit log. Throws LEDGER_VERIFY_RUNNING. */
  async verify(requestedBy: string | null): Promise<LedgerReport> {
    const report = await this.repository.verify();
    if (report === null) throw verifyErrors.LEDGER_VERIFY_RUNNING();
    const { rules, ...figures } = report;
    const broken = rules.filter(({ problems }) => problems.length > 0);
    const details = { ...figures, broken: broken.map(({ rule }) => rule) };
    await this.unitOfWork.run(async (manager) =>
      this.audit.record(manager, {
        actorId: requestedBy,
        action: ACTION,
        subjectType: 'ledger',
        subjectId: 'ledger',
        details,
      }),
    );
    if (report.passed) this.logger.log(details, 'the ledger holds');
    else this.logger.error({ ...details, problems: broken }, 'the ledger does not hold');
    return report;
  }
}
