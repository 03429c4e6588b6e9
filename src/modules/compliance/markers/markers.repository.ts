import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../platform/database/database.js';
import type { DayFacts, Marker } from '../domain/harm-markers.js';

/** Somebody's day, and how it scores with those before it. */
export interface ScoredDay extends DayFacts {
  readonly userId: string;
  readonly score: number;
  readonly markers: readonly Marker[];
}

export interface RunRow {
  day: string;
  completed_at: Date | null;
  reached: string | null;
  people: number;
  flagged: number;
}

const FACTS = `day::text AS day, bets, night_bets AS "nightBets", staked::int8::text AS staked, chasing_bets AS "chasingBets",
  payments, declined, paid_in_while_withdrawing AS "paidInWhileWithdrawing", checks`;

/** People's days and the nights that look at them. */
@Injectable()
export class MarkersRepository {
  constructor(private readonly database: Database) {}

  /** The last day that was looked at whole. Index: primary key. */
  async lastCompleted(): Promise<string | null> {
    const [row] = await this.database.query<{ day: string }>(
      'harm_runs.last',
      'SELECT day::text AS day FROM harm_runs WHERE completed_at IS NOT NULL ORDER BY day DESC LIMIT 1',
    );
    return row?.day ?? null;
  }

  /** The night that was begun last, for the metrics. */
  async newestRun(): Promise<(RunRow & { seconds: number }) | null> {
    const [row] = await this.database.query<RunRow & { seconds: number }>(
      'harm_runs.newest',
      `SELECT day::text AS day, completed_at, reached, people, flagged, extract(epoch FROM completed_at)::float8 AS seconds
       FROM harm_runs ORDER BY day DESC LIMIT 1`,
    );
    return row ?? null;
  }

  async begin(day: string, now: Date): Promise<void> {
    await this.database.query(
      'harm_runs.begin',
      'INSERT INTO harm_runs (day, started_at) VALUES ($1, $2) ON CONFLICT (day) DO NOTHING',
      [day, now],
    );
  }

  /** One worker at a time goes on with a night. */
  async lockRun(manager: EntityManager, day: string): Promise<RunRow | null> {
    const [row] = await manager.query<RunRow[]>(
      `SELECT day::text AS day, completed_at, reached, people, flagged FROM harm_runs WHERE day = $1 FOR UPDATE`,
      [day],
    );
    return row ?? null;
  }

  async progress(
    manager: EntityManager,
    day: string,
    { reached, people, flagged }: { reached: string; people: number; flagged: number },
  ): Promise<void> {
    await manager.query(
      'UPDATE harm_runs SET reached = $2, people = people + $3, flagged = flagged + $4 WHERE day = $1',
      [day, reached, people, flagged],
    );
  }

  async complete(manager: EntityManager, day: string, now: Date): Promise<void> {
    await manager.query('UPDATE harm_runs SET completed_at = $2 WHERE day = $1', [day, now]);
  }

  /** The days of these people within `[from, to)`. Index: primary key. */
  async history(
    manager: EntityManager,
    userIds: readonly string[],
    from: string,
    to: string,
  ): Promise<(DayFacts & { userId: string })[]> {
    const rows = await manager.query<(Omit<DayFacts, 'staked'> & { staked: string; userId: string })[]>(
      `SELECT user_id AS "userId", ${FACTS} FROM harm_days WHERE user_id = ANY ($1::uuid[]) AND day >= $2 AND day < $3`,
      [userIds, from, to],
    );
    return rows.map((row) => ({ ...row, staked: Number(row.staked) }));
  }

  /** Whose days were written now; a day that is there already stays as it is. */
  async insertDays(manager: EntityManager, days: readonly ScoredDay[]): Promise<Set<string>> {
    const rows = await manager.query<{ user_id: string }[]>(
      `INSERT INTO harm_days (user_id, day, bets, night_bets, staked, chasing_bets, payments, declined,
                              paid_in_while_withdrawing, checks, score, markers)
       SELECT "userId", day, bets, "nightBets", staked, "chasingBets", payments, declined, "paidInWhileWithdrawing", checks,
              score, markers
       FROM jsonb_to_recordset($1::jsonb) AS d ("userId" uuid, day date, bets int, "nightBets" int, staked bigint,
         "chasingBets" int, payments int, declined int, "paidInWhileWithdrawing" int, checks int, score int, markers jsonb)
       ORDER BY "userId" ON CONFLICT (user_id, day) DO NOTHING RETURNING user_id`,
      [JSON.stringify(days)],
    );
    return new Set(rows.map(({ user_id: userId }) => userId));
  }

  /** Reality checks of people on a day. Index: ix_reality_checks_user. */
  async checksOf(
    manager: EntityManager,
    userIds: readonly string[],
    { from, to }: { from: Date; to: Date },
  ): Promise<Map<string, number>> {
    const rows = await manager.query<{ user_id: string; checks: number }[]>(
      `SELECT user_id, count(*)::int AS checks FROM reality_checks
       WHERE user_id = ANY ($1::uuid[]) AND told_at >= $2 AND told_at < $3 GROUP BY user_id`,
      [userIds, from, to],
    );
    return new Map(rows.map(({ user_id: userId, checks }) => [userId, checks]));
  }

  /** Forgets at most `limit` days from before; how many. Index: ix_harm_days_cleanup. */
  async forgetDays(before: string, limit: number): Promise<number> {
    const rows = await this.database.query(
      'harm_days.forget',
      `DELETE FROM harm_days WHERE ctid = ANY (ARRAY(SELECT ctid FROM harm_days WHERE day < $1 LIMIT $2)) AND day < $1
       RETURNING 1`,
      [before, limit],
    );
    return rows.length;
  }
}
