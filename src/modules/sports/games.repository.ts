import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, Repository } from 'typeorm';
import { Database } from '../../platform/database/database.js';
import type { GameState, MarketState, NamedOutcome } from './domain/markets.js';
import { Game } from './entities/game.entity.js';
import { Market } from './entities/market.entity.js';
import { gameJson } from './game-json.js';
import { GameChanges } from './odds/game-changes.js';

export interface SlateFilter {
  sport: string | null;
  from: Date | null;
  to: Date | null;
  after: { startsAt: Date; id: string } | null;
  limit: number;
}

export interface SlateRow {
  id: string;
  starts_at: Date;
  game: object;
}

/** A game that a week waits for. */
export interface LockedResultRow {
  id: string;
  version: number;
  /** Of one in the week's span: its result may be graded. One that has moved out of it waits for no correction. */
  ready: boolean;
}

@Injectable()
export class GamesRepository {
  constructor(
    private readonly database: Database,
    @InjectRepository(Game) private readonly games: Repository<Game>,
    @InjectRepository(Market) private readonly markets: Repository<Market>,
    private readonly changes: GameChanges,
  ) {}

  /** A page of games with markets and current prices, by start and id. Indexes: ix_games_slate, ix_games_sport_slate. */
  async slate(filter: SlateFilter): Promise<SlateRow[]> {
    return await this.database.query<SlateRow>(
      filter.sport === null ? 'games.slate' : 'games.slate_of_sport',
      `SELECT g.id, g.starts_at, ${gameJson()} AS game FROM games g
       WHERE ($1::timestamptz IS NULL OR g.starts_at >= $1) AND ($2::timestamptz IS NULL OR g.starts_at < $2)
         AND ($3::timestamptz IS NULL OR (g.starts_at, g.id) > ($3, $4::uuid))
         ${filter.sport === null ? 'AND $5::text IS NULL' : 'AND g.sport = $5'}
       ORDER BY g.starts_at, g.id LIMIT $6`,
      [
        filter.from,
        filter.to,
        filter.after?.startsAt ?? null,
        filter.after?.id ?? null,
        filter.sport,
        filter.limit,
      ],
    );
  }

  async findOne(id: string): Promise<SlateRow | null> {
    const [row] = await this.database.query<SlateRow>(
      'games.one',
      `SELECT g.id, g.starts_at, ${gameJson()} AS game FROM games g WHERE g.id = $1`,
      [id],
    );
    return row ?? null;
  }

  async findGame(id: string): Promise<Game | null> {
    return await this.games.findOneBy({ id });
  }

  async findMarket(id: string): Promise<Market | null> {
    return await this.markets.findOneBy({ id });
  }

  async marketsOf(manager: EntityManager, gameId: string): Promise<Market[]> {
    return await manager.getRepository(Market).find({ where: { gameId }, order: { id: 'ASC' } });
  }

  /** Waits for the bets on this game that are being placed and holds off the ones to come until the commit. */
  async shutGate(manager: EntityManager, gameId: string): Promise<void> {
    await manager.query('SELECT parley_gate_shut($1)', [gameId]);
  }

  async lockGame(manager: EntityManager, id: string): Promise<Game | null> {
    return await manager.getRepository(Game).findOne({ where: { id }, lock: { mode: 'pessimistic_write' } });
  }

  async updateGame(
    manager: EntityManager,
    id: string,
    from: readonly GameState[],
    change: Partial<Game>,
  ): Promise<boolean> {
    const result = await manager
      .createQueryBuilder()
      .update(Game)
      .set(change)
      .where('id = :id AND status IN (:...from)', { id, from })
      .execute();
    this.changes.told(manager, id);
    return result.affected === 1;
  }

  /** Moves the markets of a game that are in one of the states `from`; tells which. */
  async moveMarkets(
    manager: EntityManager,
    gameId: string,
    from: readonly MarketState[],
    to: Exclude<MarketState, 'suspended'>,
    now: Date,
  ): Promise<string[]> {
    const [rows] = await manager.query<[{ id: string }[], number]>(
      `UPDATE markets SET status = $3, suspended_by = NULL, updated_at = $4
       WHERE game_id = $1 AND status = ANY ($2) RETURNING id`,
      [gameId, from, to, now],
    );
    if (rows.length > 0) this.changes.told(manager, gameId);
    return rows.map((row) => row.id);
  }

  /**
   * Opens the closed markets of a game that is to come after all. Those of a feed are suspended in the same breath, as if it had fallen
   * silent: what it offers by now, and at which prices, its next answer tells.
   */
  async reopenMarkets(
    manager: EntityManager,
    gameId: string,
    from: readonly MarketState[],
    now: Date,
  ): Promise<void> {
    await manager.query(
      `UPDATE markets SET status = CASE WHEN of_feed THEN 'suspended' ELSE 'open' END,
         suspended_by = CASE WHEN of_feed THEN 'feed_stale' END, updated_at = $3
       WHERE game_id = $1 AND status = ANY ($2)`,
      [gameId, from, now],
    );
    this.changes.told(manager, gameId);
  }

  /** Moves one market that is in one of the states `from`. What is suspended this way is so by an operator. */
  async moveMarket(
    manager: EntityManager,
    id: string,
    from: readonly MarketState[],
    to: MarketState,
    now: Date,
  ): Promise<boolean> {
    const [rows] = await manager.query<[{ game_id: string }[], number]>(
      `UPDATE markets SET status = $3, suspended_by = $5, updated_at = $4 WHERE id = $1 AND status = ANY ($2)
       RETURNING game_id`,
      [id, from, to, now, to === 'suspended' ? 'operator' : null],
    );
    this.changes.told(manager, ...rows.map((row) => row.game_id));
    return rows.length === 1;
  }

  /** A prop of a game that is to come, open; its id, or null when the game has one of this key. */
  async insertProp(
    manager: EntityManager,
    gameId: string,
    prop: { id: string; key: string; title: string; outcomes: readonly NamedOutcome[]; places: number },
  ): Promise<string | null> {
    const [row] = await manager.query<{ id: string }[]>(
      `INSERT INTO markets (id, game_id, kind, prop, title, outcomes, places) VALUES ($1, $2, 'prop', $3, $4, $5, $6)
       ON CONFLICT ON CONSTRAINT ux_markets_game_kind_prop_line DO NOTHING RETURNING id`,
      [prop.id, gameId, prop.key, prop.title, JSON.stringify(prop.outcomes), prop.places],
    );
    if (row) this.changes.told(manager, gameId);
    return row?.id ?? null;
  }

  async limitMarket(manager: EntityManager, { id, gameId }: Market, maxStake: number | null): Promise<void> {
    await manager.query('UPDATE markets SET max_stake = $2 WHERE id = $1', [id, maxStake]);
    this.changes.told(manager, gameId);
  }

  /** An operator's halt of the other lines of a market's kind is over: an import may take them up again. */
  async liftHalt(manager: EntityManager, { id, gameId, kind, prop }: Market, now: Date): Promise<void> {
    await manager.query(
      `UPDATE markets SET suspended_by = 'line_moved', updated_at = $5
       WHERE game_id = $1 AND kind = $2 AND prop IS NOT DISTINCT FROM $3 AND id <> $4 AND suspended_by = 'operator'`,
      [gameId, kind, prop, id, now],
    );
  }

  /**
   * The games in the span, and those that are named, which change no more until the commit; lowest id first. Indexes:
   * ix_games_slate, the primary key.
   */
  async lockResults(
    manager: EntityManager,
    from: Date,
    to: Date,
    ids: readonly string[],
  ): Promise<LockedResultRow[]> {
    return await manager.query<LockedResultRow[]>(
      `SELECT id, result_version AS version,
              CASE WHEN starts_at >= $1 AND starts_at < $2
                   THEN status IN ('final', 'cancelled', 'abandoned', 'walkover') AND confirmed_at IS NOT NULL
                   ELSE confirm_due_at IS NULL END AS ready
       FROM games WHERE (starts_at >= $1 AND starts_at < $2) OR id = ANY ($3::uuid[])
       ORDER BY id FOR SHARE`,
      [from, to, ids],
    );
  }

  /** Whether its feed has told scores or an end that nobody believes and nobody has decided about. Index: ix_feed_quarantine_game. */
  async hasScoreInDoubt(manager: EntityManager, gameId: string): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      `SELECT FROM feed_quarantine WHERE game_id = $1 AND status = 'open' AND kind IN ('score', 'result') LIMIT 1`,
      [gameId],
    );
    return rows.length > 0;
  }

  async isEmpty(): Promise<boolean> {
    return (await this.games.count({ take: 1 })) === 0;
  }
}
