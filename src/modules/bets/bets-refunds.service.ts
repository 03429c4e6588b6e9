import { Injectable, type OnModuleInit } from '@nestjs/common';
import { afterCommit } from '../../platform/database/after-commit.js';
import { OpenStakesPort } from '../compliance/open-stakes.port.js';
import { BetPages } from './bet-pages.js';
import { BetsRepository } from './bets.repository.js';

/** Who excludes themselves gets back what they have staked on games that have not begun. */
@Injectable()
export class BetsRefundsService implements OnModuleInit {
  constructor(
    private readonly repository: BetsRepository,
    private readonly pages: BetPages,
    private readonly port: OpenStakesPort,
  ) {}

  onModuleInit(): void {
    this.port.register(async (manager, userId) => {
      const weekIds = await this.repository.lockMember(manager, userId);
      return async ({ id, at }) => {
        afterCommit(manager, 'bets.refunded', () => void this.pages.placed(userId));
        return await this.repository.refundNotBegun(manager, { userId, exclusionId: id, weekIds, at });
      };
    });
  }
}
