import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

/** What became of the open stakes of somebody who excludes themselves. */
export interface StakesTold {
  readonly refundedBets: number;
  readonly refundedCredits: number;
  /** Their games have begun: they stand, and are settled and paid as usual. */
  readonly standingBets: number;
}

/** Gives back what is staked on what has not begun at `at`. Called in the user's shut gate: it locks nothing more. */
export type RefundStakes = (exclusion: { id: string; at: Date }) => Promise<StakesTold>;

/** Locks what the refund will change, before the user's gate is shut: gates come after rows (ADR 1). */
type HoldStakes = (manager: EntityManager, userId: string) => Promise<RefundStakes>;

/** What stakes are is the business of a module above, which registers here at boot. */
@Injectable()
export class OpenStakesPort {
  private holder: HoldStakes | undefined;

  register(holder: HoldStakes): void {
    this.holder = holder;
  }

  async hold(manager: EntityManager, userId: string): Promise<RefundStakes> {
    if (!this.holder) throw new Error('nobody gives stakes back');
    return await this.holder(manager, userId);
  }
}
