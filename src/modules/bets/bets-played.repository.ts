import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../platform/database/database.js';

export interface PlayedRow {
  bets: number;
  staked: string;
  won: string;
}

export interface PlayedDayRow {
  user_id: string;
  bets: number;
  night_bets: number;
  staked: string;
  chasing_bets: number;
}

/** What was staked and won, for those who look after people. A bet that was taken back was not staked. */
@Injectable()
export class BetsPlayedRepository {
  constructor(private readonly database: Database) {}

  /** Stakes placed and payouts made since. Index: ix_bets_user_history, of the partitions of these weeks. */
  async since(userId: string, since: Date, firstWeek: number): Promise<PlayedRow> {
    const [row] = await this.database.query<PlayedRow>(
      'bets.played_since',
      `SELECT count(*) FILTER (WHERE placed_at >= $2)::int AS bets,
              coalesce(sum(stake) FILTER (WHERE placed_at >= $2), 0) AS staked,
              coalesce(sum(payout) FILTER (WHERE settled_at >= $2), 0) AS won
       FROM bets WHERE user_id = $1 AND week_id >= $3 AND status <> 'cancelled'`,
      [userId, since, firstWeek],
    );
    return row ?? { bets: 0, staked: '0', won: '0' };
  }

  /** Who placed bets, in the order of their ids. Index: ix_bets_user_history, of the partitions of these weeks. */
  async playersOn(
    manager: EntityManager,
    weekIds: readonly number[],
    day: { from: Date; to: Date },
    page: { after: string | null; limit: number },
  ): Promise<string[]> {
    const rows = await manager.query<{ user_id: string }[]>(
      `SELECT DISTINCT user_id FROM bets
       WHERE week_id = ANY ($1::int[]) AND placed_at >= $2 AND placed_at < $3 AND ($4::uuid IS NULL OR user_id > $4)
         AND status <> 'cancelled'
       ORDER BY user_id LIMIT $5`,
      [weekIds, day.from, day.to, page.after, page.limit],
    );
    return rows.map(({ user_id: userId }) => userId);
  }

  /**
   * What these players staked on a day. A bet chases when it is at least so much of the latest one that was lost within so many hours
   * before it was placed. Index: ix_bets_user_history, of the partitions of these weeks.
   */
  async dayOf(
    manager: EntityManager,
    people: readonly { userId: string; zone: string }[],
    weekIds: readonly number[],
    day: { from: Date; to: Date },
    measures: { nightEndsAt: number; chaseHours: number; chasePercent: number },
  ): Promise<PlayedDayRow[]> {
    return await manager.query<PlayedDayRow[]>(
      `SELECT p.id AS user_id, count(*)::int AS bets, sum(b.stake) AS staked,
              count(*) FILTER (WHERE extract(hour FROM b.placed_at AT TIME ZONE p.zone) < $6)::int AS night_bets,
              count(*) FILTER (WHERE b.stake * 100 >= lost.stake * $8::int)::int AS chasing_bets
       FROM unnest($1::uuid[], $2::text[]) AS p (id, zone)
       JOIN bets b ON b.user_id = p.id AND b.week_id = ANY ($3::int[]) AND b.placed_at >= $4 AND b.placed_at < $5
         AND b.status <> 'cancelled'
       LEFT JOIN LATERAL (
         SELECT l.stake FROM bets l
         WHERE l.user_id = p.id AND l.week_id = ANY ($3::int[]) AND l.status IN ('lost', 'half_lost')
           AND l.settled_at <= b.placed_at AND l.settled_at > b.placed_at - make_interval(hours => $7)
         ORDER BY l.settled_at DESC, l.id DESC LIMIT 1) lost ON true
       GROUP BY p.id`,
      [
        people.map(({ userId }) => userId),
        people.map(({ zone }) => zone),
        weekIds,
        day.from,
        day.to,
        measures.nightEndsAt,
        measures.chaseHours,
        measures.chasePercent,
      ],
    );
  }
}
