import { Injectable } from '@nestjs/common';
import { Effect, type Listed, type RenderedList } from '../../platform/http/answers.js';
import type { IdempotencyKey } from '../../platform/http/idempotency.js';
import { cursorPage, DEFAULT_LIMIT, readCursor } from '../../platform/http/pagination.js';
import type { Subject } from '../../platform/security/subject.js';
import { priceText } from '../sports/prices.service.js';
import { readWeekId, weekText, WeeksService } from '../pools/weeks.service.js';
import { BetPages } from './bet-pages.js';
import { betsErrors } from './bets.errors.js';
import { type BetRow, BetsRepository } from './bets.repository.js';
import type { BetDto, BetsQuery, PlaceBetDto, PlacedBetDto } from './dto/bets.dto.js';
import { PlacingService } from './placing.service.js';

const BET_ID = [/^\d{1,18}$/]; // always a bigint
/** Partitions that one query of a history opens. */
const WEEKS_AT_ONCE = 4;
const MAX_BIGINT = 9_223_372_036_854_775_807n;

/** Placing bets and looking at one's own. */
@Injectable()
export class BetsService {
  constructor(
    private readonly placing: PlacingService,
    private readonly repository: BetsRepository,
    private readonly pages: BetPages,
    private readonly weeks: WeeksService,
  ) {}

  /** Places a bet in the caller's pool of the current week, or answers what the same key was answered before. */
  async place(
    { userId }: Subject,
    body: PlaceBetDto,
    { key, bodyHash }: IdempotencyKey,
  ): Promise<Effect<PlacedBetDto>> {
    const answer = await this.placing.place({
      userId,
      key,
      bodyHash,
      weekId: this.weeks.currentId(),
      marketId: body.marketId,
      outcome: body.outcome,
      stake: body.stake,
      oddsId: body.oddsId ?? null,
      accept: body.acceptOdds ?? 'exact',
    });
    await this.pages.placed(userId);
    const { replayed = false, ...bet } = answer as unknown as PlacedBetDto & { replayed?: boolean };
    const placedAt = new Date(bet.placedAt);
    return new Effect({ ...bet, placedAt: placedAt.toISOString() }, placedAt, replayed);
  }

  /** The caller's bets, newest first. */
  async list({ userId }: Subject, query: BetsQuery): Promise<RenderedList<BetDto>> {
    return await this.pages.getOrRead(userId, query, () => this.read(userId, query));
  }

  private async read(userId: string, query: BetsQuery): Promise<Listed<BetDto>> {
    const limit = query.limit ?? DEFAULT_LIMIT;
    const wanted = query.week === undefined ? null : [readWeekId(query.week)];
    const filter = {
      status: query.status ?? null,
      before: readCursor(query.cursor, BET_ID)?.[0] ?? null,
      limit: limit + 1,
    };
    const rows = await this.newestOf(userId, wanted, filter);
    return cursorPage<BetRow, BetDto>(rows, limit, (row) => [row.id], toBetDto);
  }

  /**
   * Walks the weeks, newest first, until there are enough: a bet of a later week has the greater id, for it was placed
   * later. So a page opens the partitions that it shows and not those of every week there ever was. Without weeks given the
   * one in play comes first, which is all that most look at.
   */
  private async newestOf(
    userId: string,
    weeks: readonly number[] | null,
    filter: { status: string | null; before: string | null; limit: number },
  ): Promise<BetRow[]> {
    const current = this.weeks.currentId();
    const rows =
      weeks === null ? await this.repository.ofUser(userId, { ...filter, weekIds: [current] }) : [];
    if (rows.length === filter.limit) return rows;
    const weekIds = weeks ?? (await this.weeks.idsOfUser(userId)).filter((id) => id !== current);
    for (let from = 0; from < weekIds.length && rows.length < filter.limit; from += WEEKS_AT_ONCE)
      rows.push(
        ...(await this.repository.ofUser(userId, {
          ...filter,
          weekIds: weekIds.slice(from, from + WEEKS_AT_ONCE),
          limit: filter.limit - rows.length,
        })),
      );
    return rows;
  }

  private async find(userId: string, id: string): Promise<BetRow | null> {
    return await this.repository.findOfUser(userId, id, await this.weeks.idsOfUser(userId));
  }

  async get({ userId }: Subject, id: string): Promise<BetDto> {
    const row = BigInt(id) > MAX_BIGINT ? null : await this.find(userId, id);
    if (!row) throw betsErrors.BET_NOT_FOUND({ betId: id });
    return toBetDto(row);
  }
}

function toBetDto(row: BetRow): BetDto {
  return {
    id: row.id,
    week: weekText(row.week_id),
    poolId: row.pool_id,
    gameId: row.game_id,
    marketId: row.market_id,
    outcome: row.outcome,
    odds: { oddsId: row.odds_id, american: row.american, decimal: priceText(row.price_num, row.price_den) },
    stake: Number(row.stake),
    potentialPayout: Number(row.potential_payout),
    status: row.status,
    payout: row.payout === null ? null : Number(row.payout),
    reason: row.reason,
    placedAt: row.placed_at.toISOString(),
    settledAt: row.settled_at?.toISOString() ?? null,
  };
}
