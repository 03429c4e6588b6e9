import { Injectable } from '@nestjs/common';
import { DateTime } from 'luxon';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import { type Listed, RenderedList } from '../../platform/http/answers.js';
import { cursorPage, DEFAULT_LIMIT, readCursor } from '../../platform/http/pagination.js';
import type { GameDto, GamesQuery } from './dto/games.dto.js';
import { GamesRepository, type LockedResultRow, type SlateRow } from './games.repository.js';
import { sportsErrors } from './sports.errors.js';
import type { GameFacts, MarketFacts } from './sports.types.js';
import { SlateCache } from './slate-cache.js';

const CURSOR = [/^\d{1,15}$/, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/];

/** Reading games: the slate, one game, and the facts that settlement grades from. */
@Injectable()
export class GamesService {
  constructor(
    private readonly repository: GamesRepository,
    private readonly cache: SlateCache,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /** Games by start and id, with markets and current prices. */
  async list(query: GamesQuery): Promise<RenderedList<GameDto>> {
    return await this.cache.getOrRead(
      JSON.stringify(query),
      async () => new RenderedList(await this.read(query)),
    );
  }

  private async read(query: GamesQuery): Promise<Listed<GameDto>> {
    const limit = query.limit ?? DEFAULT_LIMIT;
    const key = readCursor(query.cursor, CURSOR);
    const day =
      query.date === undefined ? null : DateTime.fromISO(query.date, { zone: this.rules.sports.slateZone });
    const rows = await this.repository.slate({
      sport: query.sport ?? null,
      from: latest(day?.toJSDate(), query.from),
      to: earliest(day?.plus({ days: 1 }).toJSDate(), query.to),
      after: key && { startsAt: new Date(Number(key[0])), id: key[1] ?? '' },
      limit: limit + 1,
    });
    return cursorPage(rows, limit, (row) => [row.starts_at.getTime(), row.id], toDto);
  }

  async get(id: string): Promise<GameDto> {
    const row = await this.repository.findOne(id);
    if (!row) throw sportsErrors.GAME_NOT_FOUND({ gameId: id });
    return toDto(row);
  }

  /** The game as it is, locked until the transaction ends, so that its result does not change meanwhile. */
  async lockFacts(manager: EntityManager, id: string): Promise<GameFacts> {
    const game = await this.repository.lockGame(manager, id);
    if (!game) throw sportsErrors.GAME_NOT_FOUND({ gameId: id });
    return game;
  }

  async marketFacts(manager: EntityManager, gameId: string): Promise<MarketFacts[]> {
    return await this.repository.marketsOf(manager, gameId);
  }

  /** The markets of a game whose bets are being graded by its result. Voided ones stay voided. */
  async markGraded(manager: EntityManager, gameId: string): Promise<void> {
    await this.repository.moveMarkets(manager, gameId, ['closed'], 'settled', this.clock.now());
  }

  /** The games that start in the span, and those that are named, locked: no result of them changes until the transaction ends. */
  async lockResults(
    manager: EntityManager,
    from: Date,
    to: Date,
    ids: readonly string[],
  ): Promise<LockedResultRow[]> {
    return await this.repository.lockResults(manager, from, to, ids);
  }
}

function toDto(row: SlateRow): GameDto {
  return row.game as GameDto;
}

function latest(day: Date | undefined, from: string | undefined): Date | null {
  const times = [day?.getTime(), from === undefined ? undefined : Date.parse(from)].filter(
    (time) => time !== undefined,
  );
  return times.length === 0 ? null : new Date(Math.max(...times));
}

function earliest(dayEnd: Date | undefined, to: string | undefined): Date | null {
  const times = [dayEnd?.getTime(), to === undefined ? undefined : Date.parse(to)].filter(
    (time) => time !== undefined,
  );
  return times.length === 0 ? null : new Date(Math.min(...times));
}
