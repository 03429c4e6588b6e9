import { Injectable } from '@nestjs/common';
import { Rules } from '../../platform/config/rules.js';
import { withdrawalRulesErrors } from './compliance.errors.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** What is known of a withdrawal that is asked for. Amounts are minor units. */
export interface WithdrawalFacts {
  readonly userId: string;
  readonly amount: bigint;
  readonly currency: string;
  /** What was withdrawn, or is under way, since `windowStart`. */
  readonly before: bigint;
  /** A payment of theirs is disputed, or was lost: what they withdraw may be what the house will have to give back. */
  readonly disputed: boolean;
  /** Null when the password is the one that the account was opened with, or there is none. */
  readonly passwordChangedAt: Date | null;
  readonly now: Date;
}

/** `pay`: at once. `review`: an operator decides, who knows whether the user's identity is known. */
export type WithdrawalVerdict = 'pay' | 'review';

/** Asked before money leaves a wallet. Exclusions and time-outs are no part of it: they bar stakes, not one's own money. */
export abstract class WithdrawalRules {
  /** Since when withdrawals are counted together. */
  abstract windowStart(now: Date): Date;

  /** Throws WITHDRAWAL_COOLING_OFF. */
  abstract judge(facts: WithdrawalFacts): Promise<WithdrawalVerdict>;
}

/** By `config/withdrawals.yml` alone. Whether the identity has to be known is KycService's question; it is asked first. */
@Injectable()
export class ConfiguredWithdrawalRules extends WithdrawalRules {
  constructor(private readonly rules: Rules) {
    super();
  }

  override windowStart(now: Date): Date {
    return new Date(now.getTime() - this.rules.withdrawals.review.windowDays * DAY_MS);
  }

  override judge(facts: WithdrawalFacts): Promise<WithdrawalVerdict> {
    this.requireCooledOff(facts);
    const threshold = this.rules.withdrawals.review.above[facts.currency];
    const fits = threshold !== undefined && facts.before + facts.amount <= BigInt(threshold);
    return Promise.resolve(fits && !facts.disputed ? 'pay' : 'review');
  }

  private requireCooledOff({ passwordChangedAt, now }: WithdrawalFacts): void {
    if (passwordChangedAt === null) return;
    const until = new Date(passwordChangedAt.getTime() + this.rules.withdrawals.coolOffHours * HOUR_MS);
    if (now < until) throw withdrawalRulesErrors.WITHDRAWAL_COOLING_OFF({ until: until.toISOString() });
  }
}
