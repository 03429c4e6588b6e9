import { Injectable } from '@nestjs/common';
import { Rules } from '../../platform/config/rules.js';
import type { Subject } from '../../platform/security/subject.js';
import { BetPages } from './bet-pages.js';
import { betsErrors } from './bets.errors.js';
import { BetsService } from './bets.service.js';
import type { BetDto } from './dto/bets.dto.js';
import { SlipsRepository } from './slips.repository.js';

/** Taking a bet back, for who was too quick. */
@Injectable()
export class CancellingService {
  constructor(
    private readonly bets: BetsService,
    private readonly repository: SlipsRepository,
    private readonly pages: BetPages,
    private readonly rules: Rules,
  ) {}

  /** Doing it again answers the same. Throws BET_NOT_FOUND, BET_NOT_CANCELLABLE. */
  async cancel(subject: Subject, id: string): Promise<BetDto> {
    const { userId } = subject;
    const { row } = await this.bets.getRow(userId, id);
    const { cancelWindowSeconds: seconds, cancelsPerWeek: maximum } = this.rules.bets;
    const reason = await this.repository.cancel(
      userId,
      { id: row.id, weekId: row.week_id },
      { windowSeconds: seconds, perWeek: maximum, allowed: this.rules.pools.cancelBets },
    );
    if (reason !== null)
      throw betsErrors.BET_NOT_CANCELLABLE({
        reason,
        ...(reason === 'WINDOW_OVER' ? { seconds } : {}),
        ...(reason === 'TOO_MANY' ? { maximum } : {}),
      });
    await this.pages.placed(userId);
    return await this.bets.get(subject, id);
  }
}
