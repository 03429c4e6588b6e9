import { Injectable } from '@nestjs/common';
import { Effect, type Listed, type RenderedList } from '../../platform/http/answers.js';
import type { IdempotencyKey } from '../../platform/http/idempotency.js';
import { cursorPage, DEFAULT_LIMIT, readCursor } from '../../platform/http/pagination.js';
import type { Subject } from '../../platform/security/subject.js';
import { readWeekId, WeeksService } from '../pools/weeks.service.js';
import { type BetFilter, BetHistoryRepository, type BetRow, type LegRow } from './bet-history.repository.js';
import { BetPages } from './bet-pages.js';
import { toBetDto } from './bet-views.js';
import { betsErrors } from './bets.errors.js';
import type { BetDto, BetsQuery } from './dto/bets.dto.js';
import type { ExposureDto, OpenBets } from './dto/exposure.dto.js';
import type { PlaceBetDto, PlacedBetDto } from './dto/place-bet.dto.js';
import { PlacingService } from './placing.service.js';
import { QuotesService } from './quotes.service.js';
import { readSlip } from './slips.js';

const BET_ID = [/^\d{1,18}$/]; // always a bigint
/** Partitions that one query of a history opens. */
const WEEKS_AT_ONCE = 4;
const MAX_BIGINT = 9_223_372_036_854_775_807n;

/** Placing bets and looking at one's own. */
@Injectable()
export class BetsService {
  constructor(
    private readonly placing: PlacingService,
    private readonly quotes: QuotesService,
    private readonly repository: BetHistoryRepository,
    private readonly pages: BetPages,
    private readonly weeks: WeeksService,
  ) {}

  /** Places a bet in the caller's pool of the current week, or answers what the same key was answered before. */
  async place(
    { userId }: Subject,
    body: PlaceBetDto,
    { key, bodyHash }: IdempotencyKey,
  ): Promise<Effect<PlacedBetDto>> {
    const { legs, stake, accept } = await this.quotes.staked(readSlip(body));
    const placement = { userId, key, bodyHash, weekId: this.weeks.currentId(), stake, accept };
    const [leg, ...others] = legs;
    if (leg === undefined) throw new Error('a slip has a leg at least');
    const answer =
      others.length === 0
        ? await this.placing.place({ ...placement, ...leg })
        : await this.placing.placeParlay({ ...placement, legs });
    await this.pages.placed(userId);
    return toEffect(answer as unknown as StoredAnswer);
  }

  /** The caller's bets, newest first. */
  async list({ userId }: Subject, query: BetsQuery): Promise<RenderedList<BetDto>> {
    return await this.pages.getOrRead(userId, query, () => this.read(userId, query));
  }

  private async read(userId: string, query: BetsQuery): Promise<Listed<BetDto>> {
    const limit = query.limit ?? DEFAULT_LIMIT;
    const wanted = query.week === undefined ? null : [readWeekId(query.week)];
    const rows = await this.newestOf(userId, wanted, {
      status: query.status === 'open' ? 'placed' : (query.status ?? null),
      kind: query.kind ?? null,
      gameId: query.gameId ?? null,
      from: query.from === undefined ? null : new Date(query.from),
      to: query.to === undefined ? null : new Date(query.to),
      before: readCursor(query.cursor, BET_ID)?.[0] ?? null,
      limit: limit + 1,
    });
    const legs = await this.legsOf(rows);
    return cursorPage<BetRow, BetDto>(
      rows,
      limit,
      (row) => [row.id],
      (row) => toBetDto(row, legs.get(row.id) ?? []),
    );
  }

  /**
   * Walks the weeks, newest first, until there are enough: a bet of a later week has the greater id, for it was placed
   * later. So a page opens the partitions that it shows and not those of every week there ever was. Without weeks given the
   * one in play comes first, which is all that most look at.
   */
  private async newestOf(
    userId: string,
    weeks: readonly number[] | null,
    filter: Omit<BetFilter, 'weekIds'>,
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

  /** The legs of the parlays among them, by bet: one query for all. */
  private async legsOf(rows: readonly BetRow[]): Promise<Map<string, LegRow[]>> {
    const parlays = rows.filter(({ legs }) => legs > 1);
    if (parlays.length === 0) return new Map();
    const weekIds = [...new Set(parlays.map((row) => row.week_id))];
    return Map.groupBy(
      await this.repository.legsOf(
        parlays.map(({ id }) => id),
        weekIds,
      ),
      (leg) => leg.bet_id,
    );
  }

  /** Throws BET_NOT_FOUND, for another's as for none. */
  async getRow(userId: string, id: string): Promise<{ row: BetRow; legs: LegRow[] }> {
    const row =
      BigInt(id) > MAX_BIGINT
        ? null
        : await this.repository.findOfUser(userId, id, await this.weeks.idsOfUser(userId));
    if (!row) throw betsErrors.BET_NOT_FOUND({ betId: id });
    return { row, legs: (await this.legsOf([row])).get(row.id) ?? [] };
  }

  async get({ userId }: Subject, id: string): Promise<BetDto> {
    const { row, legs } = await this.getRow(userId, id);
    return toBetDto(row, legs);
  }

  /** What the caller has at stake on games that are not decided. */
  async exposure({ userId }: Subject): Promise<ExposureDto> {
    const rows = await this.repository.openOf(userId, await this.weeks.unsettledIdsOfUser(userId));
    const totals = rows.map((row) => ({
      gameId: row.game_id,
      bets: row.bets,
      stake: Number(row.stake),
      potentialPayout: Number(row.potential_payout),
      parlays: row.parlays,
    }));
    return {
      ...sum(totals),
      games: totals.flatMap(({ gameId, ...open }) => (gameId === null ? [] : [{ gameId, ...open }])),
      parlays: sum(totals.filter(({ gameId }) => gameId === null)),
    };
  }
}

function sum(open: readonly OpenBets[]): OpenBets {
  const total = (name: keyof OpenBets) => open.reduce((all, one) => all + one[name], 0);
  return { bets: total('bets'), stake: total('stake'), potentialPayout: total('potentialPayout') };
}

/** What the SQL functions answer and keep: a single's as it was before there were parlays. */
type StoredAnswer = Omit<PlacedBetDto, 'kind'> & { decimal?: string; replayed?: boolean };

function toEffect({ replayed = false, decimal, ...answer }: StoredAnswer): Effect<PlacedBetDto> {
  const placedAt = new Date(answer.placedAt);
  const what =
    decimal === undefined
      ? { kind: 'single' as const, legs: null }
      : {
          kind: 'parlay' as const,
          marketId: null,
          outcome: null,
          odds: { oddsId: null, american: null, decimal },
        };
  return new Effect({ ...answer, ...what, placedAt: placedAt.toISOString() }, placedAt, replayed);
}
