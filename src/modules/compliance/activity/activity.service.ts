import { Injectable } from '@nestjs/common';
import { Clock } from '../../../platform/clock/clock.js';
import { ActivityRepository } from './activity.repository.js';
import { type Activity, statementOf } from './domain/statement.js';
import type { ActivityDto, ActivityStatementDto } from './dto/activity.dto.js';

/** What somebody paid, won and took out (AGCO 2.24, UKGC RTS 1; three months on demand, twelve on request). */
@Injectable()
export class ActivityService {
  constructor(
    private readonly repository: ActivityRepository,
    private readonly clock: Clock,
  ) {}

  async statement(userId: string, before: number): Promise<ActivityStatementDto> {
    const { months, total, lifetime } = statementOf(
      await this.repository.of(userId),
      this.clock.now(),
      before,
    );
    return {
      months: months.map(({ month, currencies }) => ({ month, currencies: currencies.map(toDto) })),
      total: total.map(toDto),
      lifetimeNetDeposits: lifetime.map(({ currency, netDeposits }) => ({
        amount: Number(netDeposits),
        currency,
      })),
    };
  }
}

function toDto(activity: Activity): ActivityDto {
  const { currency, deposits, purchases, prizes, refunds, withdrawals, result, netDeposits } = activity;
  return {
    currency,
    deposits: Number(deposits),
    purchases: {
      weekPasses: Number(purchases.week_pass),
      subscriptions: Number(purchases.subscription),
      buyBacks: Number(purchases.buy_back),
    },
    prizes: Number(prizes),
    refunds: Number(refunds),
    withdrawals: Number(withdrawals),
    result: Number(result),
    netDeposits: Number(netDeposits),
  };
}
