import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { type Forgetful, HasHousekeeping } from '../../platform/jobs/housekeeping.decorator.js';
import { BarredIdentitiesRepository } from './barred-identities.repository.js';
import { ComplianceService } from './compliance.service.js';

/**
 * Who is excluded or banned and opens another account with the same address, number or account elsewhere is known again by keyed
 * hashes, all that is kept of them, until the bar ends: of an exclusion from its beginning, so that nobody gets rid of it by
 * changing their number or erasing the account; of a ban from the erasure.
 */
@HasHousekeeping()
@Injectable()
export class BarredIdentitiesService implements Forgetful {
  readonly forgets = [async (limit: number) => await this.repository.forgetEnded(this.clock.now(), limit)];

  constructor(
    private readonly repository: BarredIdentitiesRepository,
    private readonly compliance: ComplianceService,
    private readonly clock: Clock,
  ) {}

  /** Whether a ban or an exclusion bars any of them now. */
  async isBarred(manager: EntityManager, identities: readonly Buffer[]): Promise<boolean> {
    return (await this.repository.activeFor(manager, identities, this.clock.now(), null)).length > 0;
  }

  /**
   * For who has proved identities to be theirs: if they are excluded, they are known by these from now on. A ban may be lifted, and is noted
   * at the erasure only.
   */
  async rememberExcluded(
    manager: EntityManager,
    userId: string,
    identities: readonly Buffer[],
  ): Promise<void> {
    await this.repository.remember(manager, userId, identities, this.clock.now(), ['self_exclusion']);
  }

  /**
   * For who has proved these identities to be theirs, in that transaction: an exclusion goes on in this account, with all that an
   * exclusion does. The ban that must keep the account from being opened, if there is one.
   */
  async carryOver(
    manager: EntityManager,
    userId: string,
    identities: readonly Buffer[],
  ): Promise<{ until: Date | null } | null> {
    const now = this.clock.now();
    const bars = await this.repository.activeFor(manager, identities, now, userId);
    const ban = bars.find(({ reason }) => reason === 'ban');
    const exclusion = bars.find(({ reason }) => reason === 'self_exclusion');
    if (exclusion) await this.compliance.excludeIn(manager, userId, exclusion.ends_at);
    return ban ? { until: ban.ends_at } : null;
  }
}
