import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditService } from '../../platform/observability/audit.service.js';
import { OutboxService } from '../../platform/outbox/outbox.service.js';
import { type AccountChange, accountChanged } from './auth.events.js';

/** What the audit log calls them. */
const ACTIONS: Readonly<Record<AccountChange, string>> = {
  phoneChanged: 'phone.changed',
  providerLinked: 'oauth.linked',
  providerUnlinked: 'oauth.unlinked',
  secondFactorOn: 'auth.second-factor-on',
  secondFactorOff: 'auth.second-factor-off',
  secondFactorRemoved: 'user.second-factor-removed',
  recoveryCodeUsed: 'auth.recovery-code-used',
  recoveryCodesRenewed: 'auth.recovery-codes-renewed',
};

/** Changes of the ways into an account: entered in the audit log, and told to the account's owner by mail. */
@Injectable()
export class AccountChangesService {
  constructor(
    private readonly audit: AuditService,
    private readonly outbox: OutboxService,
  ) {}

  /** Joins the transaction that makes the change. */
  async tell(
    manager: EntityManager,
    userId: string,
    change: AccountChange,
    { details = {}, actorId = userId }: { details?: object; actorId?: string } = {},
  ): Promise<void> {
    await this.audit.record(manager, {
      actorId,
      action: ACTIONS[change],
      subjectType: 'user',
      subjectId: userId,
      details,
    });
    await this.outbox.publish(manager, accountChanged, { userId, change });
  }
}
