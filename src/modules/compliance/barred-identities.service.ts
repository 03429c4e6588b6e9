import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { newId } from '../../platform/database/ids.js';
import { type Forgetful, HasHousekeeping } from '../../platform/jobs/housekeeping.decorator.js';
import { BarredIdentitiesRepository } from './barred-identities.repository.js';
import { ComplianceRepository } from './compliance.repository.js';

/**
 * Erasing an account does not end an exclusion or a ban: who opens another one with the same address or number is known
 * again by keyed hashes, all that is kept of them, until the bar ends.
 */
@HasHousekeeping()
@Injectable()
export class BarredIdentitiesService implements Forgetful {
  readonly forgets = [async (limit: number) => await this.repository.forgetEnded(this.clock.now(), limit)];

  constructor(
    private readonly repository: BarredIdentitiesRepository,
    private readonly compliance: ComplianceRepository,
    private readonly clock: Clock,
  ) {}

  /** Whether a ban bars any of them now. */
  async isBanned(manager: EntityManager, identities: readonly Buffer[]): Promise<boolean> {
    const bars = await this.repository.activeFor(manager, identities, this.clock.now());
    return bars.some(({ reason }) => reason === 'ban');
  }

  /**
   * For who opens an account, in that transaction: an exclusion goes on in the new one. The ban that must keep it from being
   * opened, if there is one.
   */
  async carryOver(
    manager: EntityManager,
    userId: string,
    identities: readonly Buffer[],
  ): Promise<{ until: Date | null } | null> {
    const now = this.clock.now();
    const bars = await this.repository.activeFor(manager, identities, now);
    const ban = bars.find(({ reason }) => reason === 'ban');
    const exclusion = bars.find(({ reason }) => reason === 'self_exclusion');
    if (exclusion)
      await this.compliance.insert(manager, {
        id: newId(),
        user_id: userId,
        kind: 'self_exclusion',
        starts_at: now,
        ends_at: exclusion.ends_at,
      });
    return ban ? { until: ban.ends_at } : null;
  }
}
