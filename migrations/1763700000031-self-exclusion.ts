import type { MigrationInterface, QueryRunner } from 'typeorm';

/** `ended` is what else bars of an exclusion whose term is over; functions as of 02 are those without. */
const barred = (ended: { exclusion: string; barred: string }) => `
    CREATE OR REPLACE FUNCTION compliance_refusal(p_user uuid, p_at timestamptz, p_minimum_age int)
    RETURNS TABLE (code text) LANGUAGE sql STABLE AS $$ -- a set, so that the planner inlines it
      SELECT CASE
        WHEN u.status = 'banned' THEN 'ACCOUNT_BANNED'
        WHEN EXISTS (SELECT FROM restrictions r WHERE r.user_id = u.id AND r.kind = 'self_exclusion'
                     AND r.starts_at <= p_at AND (r.ends_at IS NULL OR r.ends_at > p_at${ended.exclusion})) THEN 'SELF_EXCLUDED'
        WHEN EXISTS (SELECT FROM restrictions r WHERE r.user_id = u.id AND r.kind = 'time_out'
                     AND r.starts_at <= p_at AND r.ends_at > p_at) THEN 'TIMED_OUT'
        WHEN u.birth_date + make_interval(years => p_minimum_age) > (p_at AT TIME ZONE 'UTC') THEN 'UNDER_AGE'
      END
      FROM users u WHERE u.id = p_user
    $$;

    CREATE OR REPLACE FUNCTION compliance_barred(p_at timestamptz, p_minimum_age int) RETURNS TABLE (user_id uuid)
    LANGUAGE sql STABLE AS $$
      SELECT r.user_id FROM restrictions r
      WHERE r.starts_at <= p_at AND (r.ends_at IS NULL OR r.ends_at > p_at${ended.barred})
      UNION
      SELECT u.id FROM users u WHERE u.status = 'banned'
        OR u.birth_date + make_interval(years => p_minimum_age) > (p_at AT TIME ZONE 'UTC')
    $$;`;

/** As of 05; `except` is what a corrected result leaves as it is. */
const betsGrade = (except: string) => `
    CREATE OR REPLACE FUNCTION bets_grade(p_settlement uuid, p_week int, p_pools uuid[], p_markets uuid[], p_starts_at timestamptz,
                               p_grades jsonb, p_now timestamptz, p_regrade boolean) RETURNS int
    LANGUAGE plpgsql VOLATILE AS $$
    DECLARE
      v_pools uuid[]; v_users uuid[]; v_deltas bigint[]; v_closed int[];
      v_graded int := 0;
      v_regraded int := 0;
    BEGIN
      PERFORM pools_lock(p_pools);

      WITH verdict AS (
        SELECT * FROM jsonb_to_recordset(p_grades) AS g (market_id uuid, outcome text, status text, reason text,
          v_num bigint, v_den bigint, w int, h_num bigint, h_den bigint)),
      graded AS (
        UPDATE bets b
        SET status = CASE WHEN b.placed_at >= p_starts_at THEN 'void' ELSE g.status END,
            reason = CASE WHEN b.placed_at >= p_starts_at THEN 'TAKEN_AFTER_START' ELSE g.reason END,
            payout = CASE WHEN b.placed_at >= p_starts_at THEN b.stake
              ELSE bet_payout(b.stake, b.price_num, b.price_den, g.v_num, g.v_den, g.w, g.h_num, g.h_den) END,
            settlement_id = p_settlement, settled_at = p_now
        FROM verdict g
        WHERE b.week_id = p_week AND b.market_id = g.market_id AND b.outcome = g.outcome
          AND b.market_id = ANY (p_markets) AND b.pool_id = ANY (p_pools) AND b.status = 'placed'
        RETURNING b.pool_id, b.user_id, b.payout),
      sums AS (SELECT pool_id, user_id, sum(payout)::bigint AS delta, count(*)::int AS closed
               FROM graded GROUP BY pool_id, user_id)
      SELECT array_agg(pool_id), array_agg(user_id), array_agg(delta), array_agg(closed), coalesce(sum(closed), 0)
      INTO v_pools, v_users, v_deltas, v_closed, v_graded FROM sums;
      IF v_graded > 0 THEN PERFORM pools_apply_payouts(v_pools, v_users, v_deltas, v_closed); END IF;
      IF NOT p_regrade THEN RETURN v_graded; END IF;

      WITH verdict AS (
        SELECT * FROM jsonb_to_recordset(p_grades) AS g (market_id uuid, outcome text, status text, reason text,
          v_num bigint, v_den bigint, w int, h_num bigint, h_den bigint)),
      wanted AS (
        SELECT b.id, b.pool_id, b.user_id, b.settlement_id AS old_settlement, b.status AS old_status,
               b.payout AS old_payout, late.is,
               CASE WHEN late.is THEN 'void' ELSE g.status END AS status,
               CASE WHEN late.is THEN 'TAKEN_AFTER_START' ELSE g.reason END AS reason,
               CASE WHEN late.is THEN b.stake
                 ELSE bet_payout(b.stake, b.price_num, b.price_den, g.v_num, g.v_den, g.w, g.h_num, g.h_den) END AS payout
        FROM verdict g
        JOIN bets b ON b.market_id = g.market_id AND b.outcome = g.outcome
        CROSS JOIN LATERAL (SELECT b.placed_at >= p_starts_at AS is) late
        WHERE b.week_id = p_week AND b.market_id = ANY (p_markets) AND b.pool_id = ANY (p_pools)
          AND b.settlement_id <> p_settlement${except}),
      changed AS (
        UPDATE bets b
        SET status = w.status, reason = w.reason, payout = w.payout, settlement_id = p_settlement, settled_at = p_now
        FROM wanted w
        WHERE b.week_id = p_week AND b.id = w.id AND b.pool_id = w.pool_id
          AND (w.old_status <> w.status OR w.old_payout <> w.payout)
        RETURNING b.id, b.pool_id, b.user_id, w.old_settlement, w.old_status, w.old_payout, b.status, b.payout),
      noted AS (
        INSERT INTO bet_regrades (bet_id, settlement_id, week_id, reversed_settlement_id, old_status, old_payout,
                                  new_status, new_payout, created_at)
        SELECT id, p_settlement, p_week, old_settlement, old_status, old_payout, status, payout, p_now FROM changed),
      sums AS (SELECT pool_id, user_id, sum(payout - old_payout)::bigint AS delta, count(*)::int AS bets
               FROM changed GROUP BY pool_id, user_id)
      SELECT array_agg(pool_id), array_agg(user_id), array_agg(delta), array_agg(0), coalesce(sum(bets), 0)
      INTO v_pools, v_users, v_deltas, v_closed, v_regraded FROM sums;
      IF v_regraded > 0 THEN PERFORM pools_apply_payouts(v_pools, v_users, v_deltas, v_closed); END IF;
      RETURN v_graded + v_regraded;
    END $$;`;

/** Self-exclusion: it ends by an explicit return only, and gives back the stakes whose games have not begun. */
export class SelfExclusion1763700000031 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      -- What an exclusion found: written with it, so that it is answered again as it was. Null: a time-out, or one that came
      -- over from another account.
      ALTER TABLE restrictions
        ADD COLUMN refunded_bets int,
        ADD COLUMN refunded_credits bigint,
        ADD COLUMN standing_bets int;

      -- Who wants to come back after the term of an exclusion, and from when they may.
      CREATE TABLE exclusion_returns (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users,
        asked_at timestamptz NOT NULL,
        effective_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        CHECK (effective_at >= asked_at + interval '24 hours')
      );
      CREATE INDEX ix_exclusion_returns_user ON exclusion_returns (user_id, asked_at);
      CREATE TRIGGER exclusion_returns_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON exclusion_returns
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

      -- Whether a return from an exclusion that ended then has taken effect.
      CREATE FUNCTION compliance_returned(p_user uuid, p_ended_at timestamptz, p_at timestamptz) RETURNS boolean
      LANGUAGE sql STABLE AS $$
        SELECT EXISTS (SELECT FROM exclusion_returns x
                       WHERE x.user_id = p_user AND x.asked_at >= p_ended_at AND x.effective_at <= p_at)
      $$;
      ${barred({
        exclusion: ' OR NOT compliance_returned(u.id, r.ends_at, p_at)',
        barred: " OR (r.kind = 'self_exclusion' AND NOT compliance_returned(r.user_id, r.ends_at, p_at))",
      })}

      -- pools' face in SQL: locks a user's pools and rows in the weeks that are not settled, in the order of graders, and
      -- answers these weeks. For who will change the rows after shutting the user's gate: gates come after rows.
      CREATE FUNCTION pools_lock_member(p_user uuid) RETURNS int[] LANGUAGE plpgsql VOLATILE AS $$
      DECLARE
        v_weeks int[];
        v_pools uuid[];
      BEGIN
        SELECT array_agg(e.week_id), array_agg(e.pool_id) INTO v_weeks, v_pools
        FROM weeks w JOIN week_entries e ON e.week_id = w.id AND e.user_id = p_user WHERE w.status <> 'settled';
        IF v_weeks IS NULL THEN RETURN '{}'; END IF;
        PERFORM pools_lock(v_pools);
        PERFORM FROM pool_members WHERE pool_id = ANY (v_pools) AND user_id = p_user ORDER BY pool_id FOR NO KEY UPDATE;
        RETURN v_weeks;
      END $$;

      -- Gives back the stakes of a user's open bets on games that have not begun; the caller holds pools_lock_member and then
      -- the user's gate, so that no bet is being placed or graded. p_exclusion stands where a settlement's id would.
      CREATE FUNCTION bets_refund_not_begun(p_user uuid, p_exclusion uuid, p_weeks int[], p_at timestamptz)
      RETURNS TABLE (refunded int, credits bigint, standing int) LANGUAGE plpgsql VOLATILE AS $$
      DECLARE
        v_pools uuid[]; v_deltas bigint[]; v_closed int[];
      BEGIN
        WITH freed AS (
          UPDATE bets b
          SET status = 'void', reason = 'SELF_EXCLUDED', payout = b.stake, settlement_id = p_exclusion, settled_at = p_at
          FROM games g
          WHERE b.user_id = p_user AND b.week_id = ANY (p_weeks) AND b.status = 'placed' AND g.id = b.game_id
            AND (g.status = 'postponed' OR (g.status = 'scheduled' AND g.starts_at > p_at))
          RETURNING b.pool_id, b.payout),
        sums AS (SELECT pool_id, sum(payout)::bigint AS delta, count(*)::int AS closed FROM freed GROUP BY pool_id)
        SELECT array_agg(pool_id), array_agg(delta), array_agg(s.closed), coalesce(sum(s.closed), 0), coalesce(sum(delta), 0)
        INTO v_pools, v_deltas, v_closed, refunded, credits FROM sums s;
        IF refunded > 0 THEN
          PERFORM pools_apply_payouts(v_pools, array_fill(p_user, ARRAY[cardinality(v_pools)]), v_deltas, v_closed);
        END IF;
        SELECT count(*) INTO standing FROM bets b
        WHERE b.user_id = p_user AND b.week_id = ANY (p_weeks) AND b.status = 'placed';
        RETURN NEXT;
      END $$;

      ${betsGrade("\n            AND b.reason IS DISTINCT FROM 'SELF_EXCLUDED'")}
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ${betsGrade('')}
      DROP FUNCTION bets_refund_not_begun, pools_lock_member;
      ${barred({ exclusion: '', barred: '' })}
      DROP FUNCTION compliance_returned;
      DROP TABLE exclusion_returns;
      ALTER TABLE restrictions DROP COLUMN refunded_bets, DROP COLUMN refunded_credits, DROP COLUMN standing_bets;
    `);
  }
}
