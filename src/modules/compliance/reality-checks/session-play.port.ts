import { Injectable } from '@nestjs/common';

/** Credits since some time. */
export interface CreditsPlayed {
  readonly bets: number;
  readonly staked: bigint;
  /** What was paid out meanwhile, stakes given back among it. */
  readonly won: bigint;
}

/** Money since some time, in minor units. */
export interface MoneyPlayed {
  readonly currency: string;
  /** What was bought to play with. */
  readonly staked: bigint;
  readonly paidIn: bigint;
}

/** What somebody has played since a time: the business of modules above, which register here at boot. Each answers by an index. */
@Injectable()
export class SessionPlayPort {
  private credits: ((userId: string, since: Date) => Promise<CreditsPlayed>) | undefined;
  private money: ((userId: string, since: Date) => Promise<MoneyPlayed[]>) | undefined;

  registerCredits(credits: (userId: string, since: Date) => Promise<CreditsPlayed>): void {
    this.credits = credits;
  }

  registerMoney(money: (userId: string, since: Date) => Promise<MoneyPlayed[]>): void {
    this.money = money;
  }

  async creditsOf(userId: string, since: Date): Promise<CreditsPlayed> {
    if (!this.credits) throw new Error('nobody counts credits');
    return await this.credits(userId, since);
  }

  async moneyOf(userId: string, since: Date): Promise<MoneyPlayed[]> {
    if (!this.money) throw new Error('nobody counts money');
    return await this.money(userId, since);
  }
}
