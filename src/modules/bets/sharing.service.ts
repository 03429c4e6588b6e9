import { timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../platform/config/app-config.js';
import { Rules } from '../../platform/config/rules.js';
import { BlindIndex } from '../../platform/security/blind-index.js';
import type { Subject } from '../../platform/security/subject.js';
import { priceText } from '../sports/prices.service.js';
import { GamesService } from '../sports/games.service.js';
import { UsersService } from '../users/users.service.js';
import { BetHistoryRepository, type BetRow, type LegRow, type PricedRow } from './bet-history.repository.js';
import { isSingle, oddsOf } from './bet-views.js';
import { betsErrors } from './bets.errors.js';
import { BetsService } from './bets.service.js';
import type { ShareDto, SharedBetDto, SharedLegDto } from './dto/shared-bets.dto.js';

/** Week, bet and proof. A bet's id is below 10^18. */
const CODE = /^(\d{6})-(\d{1,18})-([A-Za-z0-9_-]{22})$/;
const PROOF_BYTES = 16;

/**
 * Bets that their users show to others. A code names the bet and proves that we gave it: whoever has one bet's code can make up no
 * other's. Nothing is stored, so a code works for as long as its bet is there and the key is the same.
 */
@Injectable()
export class SharingService {
  constructor(
    private readonly bets: BetsService,
    private readonly repository: BetHistoryRepository,
    private readonly games: GamesService,
    private readonly users: UsersService,
    private readonly index: BlindIndex,
    private readonly rules: Rules,
    private readonly config: AppConfig,
  ) {}

  /** Throws BET_NOT_FOUND, for another's as for none. */
  async share({ userId }: Subject, id: string): Promise<ShareDto> {
    const { row, legs } = await this.bets.getRow(userId, id);
    const code = `${row.week_id}-${row.id}-${this.proofOf(row.week_id, row.id)}`;
    return { code, url: `${this.config.APP_URL}/shared-bets/${code}`, card: await this.cardOf(row, legs) };
  }

  /** Throws SHARE_NOT_FOUND for every code that was not given, whatever is wrong with it. */
  async show(code: string): Promise<SharedBetDto> {
    const [, week = '', id = '', proof = ''] = CODE.exec(code) ?? [];
    const known = Buffer.from(this.proofOf(Number(week), id));
    const given = Buffer.from(proof);
    const genuine = given.length === known.length && timingSafeEqual(given, known);
    const row = genuine ? await this.repository.find(id, Number(week)) : null;
    if (!row) throw betsErrors.SHARE_NOT_FOUND({ code });
    const legs = isSingle(row) ? [] : await this.repository.legsOf([row.id], [row.week_id]);
    return await this.cardOf(row, legs);
  }

  /** Compared as text: of several texts for the same bytes only ours is taken. */
  private proofOf(weekId: number, id: string): string {
    return this.index.of('shared-bet', `${weekId}-${id}`).subarray(0, PROOF_BYTES).toString('base64url');
  }

  private async cardOf(row: BetRow, legs: readonly LegRow[]): Promise<SharedBetDto> {
    const told = isSingle(row) ? [row] : legs;
    return {
      handle: await this.handleOf(row.user_id),
      kind: isSingle(row) ? 'single' : 'parlay',
      decimal: oddsOf(row, legs).decimal,
      stake: this.rules.bets.shareStake ? Number(row.stake) : null,
      status: row.status,
      placedAt: row.placed_at.toISOString(),
      legs: await Promise.all(told.map(async (leg) => await this.legOf(leg))),
    };
  }

  private async legOf(leg: PricedRow & { status: string }): Promise<SharedLegDto> {
    const { sport, league, homeTeam, awayTeam, startsAt, markets } = await this.games.get(leg.game_id);
    const market = markets.find(({ id }) => id === leg.market_id);
    if (!market) throw new Error(`game ${leg.game_id} has no market ${leg.market_id}`);
    return {
      sport,
      league,
      homeTeam,
      awayTeam,
      startsAt,
      market: market.kind,
      line: market.line,
      title: market.title,
      outcome: leg.outcome,
      outcomeLabel: market.outcomes?.find(({ key }) => key === leg.outcome)?.label ?? null,
      decimal: priceText(leg.price_num, leg.price_den),
      american: leg.american,
      status: leg.status,
    };
  }

  /** Of who has a profile that others see. */
  private async handleOf(userId: string): Promise<string | null> {
    const { status, closingAt, handle } = await this.users.get(userId);
    return status === 'active' && closingAt === null ? handle : null;
  }
}
