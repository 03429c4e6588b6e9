import type { MigrationInterface, QueryRunner } from 'typeorm';

/** As of 30; `told` claims those that have failed last, and lets an error tell its chunk. */
const gradeChunk = (told: {
  order: string;
  declare: string;
  before: string;
  after: string;
  done: string;
}) => `
      CREATE OR REPLACE FUNCTION settlement_grade_chunk(p_settlement uuid, p_now timestamptz) RETURNS int
      LANGUAGE plpgsql VOLATILE AS $$
      DECLARE
        s settlements;
        c settlement_chunks;
        v_changed int;${told.declare}
      BEGIN
        SELECT * INTO s FROM settlements WHERE id = p_settlement FOR SHARE;
        IF s.status IS DISTINCT FROM 'running' THEN RETURN NULL; END IF;
        SELECT * INTO c FROM settlement_chunks WHERE settlement_id = p_settlement AND done_at IS NULL
        ORDER BY ${told.order} LIMIT 1 FOR UPDATE SKIP LOCKED;   -- ix_settlement_chunks_left
        IF NOT FOUND THEN RETURN NULL; END IF;
${told.before}
        v_changed := bets_grade(s.id, s.week_id, c.pool_ids, s.market_ids, s.starts_at, s.grades, p_now, EXISTS (
          SELECT FROM settlements e WHERE e.game_id = s.game_id AND e.result_version < s.result_version));${told.after}
        UPDATE settlement_chunks SET done_at = p_now${told.done} WHERE settlement_id = c.settlement_id AND number = c.number;
        RETURN v_changed;
      END $$;`;

/** As of 31; `open` is which of a user's open bets are on what has not begun. */
const refundNotBegun = (open: string) => `
      CREATE OR REPLACE FUNCTION bets_refund_not_begun(p_user uuid, p_exclusion uuid, p_weeks int[], p_at timestamptz)
      RETURNS TABLE (refunded int, credits bigint, standing int) LANGUAGE plpgsql VOLATILE AS $$
      DECLARE
        v_pools uuid[]; v_deltas bigint[]; v_closed int[];
      BEGIN
        WITH freed AS (
          UPDATE bets b
          SET status = 'void', reason = 'SELF_EXCLUDED', payout = b.stake, settlement_id = p_exclusion, settled_at = p_at${open}
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
      END $$;`;

/** Parlays are graded leg by leg, results wait for their confirmation, and two people void a market with many bets. */
export class ParlayGrading1763700000043 implements MigrationInterface {
  name = 'ParlayGrading1763700000043';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE games
        -- A person has said how it ended: no feed undoes that.
        ADD COLUMN told_by_person boolean NOT NULL DEFAULT false,
        -- When what a feed has said is confirmed, unless somebody says otherwise; null when nothing waits.
        ADD COLUMN confirm_due_at timestamptz,
        -- It was played in part before its start was moved: prices of before are no offer.
        ADD COLUMN interrupted boolean NOT NULL DEFAULT false,
        ADD CONSTRAINT games_confirmation_check CHECK (confirm_due_at IS NULL OR confirmed_at IS NULL);

      ALTER TABLE settlements
        -- What it is to the settlements of the game before it.
        ADD COLUMN kind text NOT NULL DEFAULT 'settle' CHECK (kind IN ('settle', 'resettle', 'cancel'));
      CREATE INDEX ix_settlements_status ON settlements (status, id);
      CREATE INDEX ix_settlements_week ON settlements (week_id, game_id);
      ALTER TABLE settlement_chunks
        ADD COLUMN attempts int NOT NULL DEFAULT 0,  -- that have failed
        ADD COLUMN error text;                       -- of the last one, without values; none once it is done

      -- Asked for by one person, done by another. One that waits too long is replaced by the next.
      CREATE TABLE market_void_requests (
        id uuid PRIMARY KEY,
        market_id uuid NOT NULL REFERENCES markets,
        requested_by uuid NOT NULL REFERENCES users,
        requested_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        reason text NOT NULL,
        bets int NOT NULL,
        approved_by uuid REFERENCES users,
        approved_at timestamptz,
        CHECK (approved_by <> requested_by),
        CHECK ((approved_by IS NULL) = (approved_at IS NULL))
      );
      CREATE UNIQUE INDEX ux_market_void_requests_pending ON market_void_requests (market_id) WHERE approved_at IS NULL;

      ALTER FUNCTION bets_grade RENAME TO bets_grade_singles;

      -- Grades the legs that some pools have on some markets of one game, and the parlays they belong to. The caller holds the
      -- pools' lock, so that no other game grades other legs of them meanwhile. A parlay with a lost leg is lost at once; one
      -- with all legs graded pays the product of their factors, floored once; one that a correction takes its lost leg is open
      -- again. Refunded and cancelled ones are over for good. The settings hold the plan to primary keys, as in place_bets.
      CREATE FUNCTION bets_grade_parlays(p_settlement uuid, p_week int, p_pools uuid[], p_markets uuid[], p_starts_at timestamptz,
                                         p_grades jsonb, p_now timestamptz) RETURNS int
      LANGUAGE plpgsql VOLATILE
      SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
      DECLARE
        v_bets bigint[]; v_bet_pools uuid[];
        v_pools uuid[]; v_users uuid[]; v_deltas bigint[]; v_closed int[];
        v_changed int := 0;
      BEGIN
        WITH verdict AS (
          SELECT * FROM jsonb_to_recordset(p_grades) AS g (market_id uuid, outcome text, status text, reason text,
            v_num bigint, v_den bigint, w int, h_num bigint, h_den bigint)),
        factored AS (
          SELECT l.bet_id, l.number, l.pool_id,
                 CASE WHEN late.is THEN 'void' ELSE g.status END AS status,
                 CASE WHEN late.is THEN 'TAKEN_AFTER_START' ELSE g.reason END AS reason,
                 CASE WHEN late.is THEN 1 ELSE g.v_num * g.h_den * l.price_den + (g.v_den - g.v_num) * g.w * g.h_num * l.price_num
                 END AS num,
                 CASE WHEN late.is THEN 1 ELSE g.v_den * g.h_den * l.price_den END AS den
          FROM verdict g
          JOIN bet_legs l ON l.market_id = g.market_id AND l.outcome = g.outcome
          JOIN bets b ON b.id = l.bet_id AND b.pool_id = l.pool_id AND b.week_id = l.week_id
          CROSS JOIN LATERAL (SELECT b.placed_at >= p_starts_at AS is) late
          WHERE l.week_id = p_week AND l.market_id = ANY (p_markets) AND l.pool_id = ANY (p_pools)
            AND b.status <> 'cancelled' AND b.reason IS DISTINCT FROM 'SELF_EXCLUDED'),
        reduced AS (
          SELECT f.bet_id, f.number, f.pool_id, f.status, f.reason, f.num / gcd(f.num, f.den) AS num, f.den / gcd(f.num, f.den) AS den
          FROM factored f),
        changed AS (
          UPDATE bet_legs l
          SET status = r.status, reason = r.reason, factor_num = r.num, factor_den = r.den, settlement_id = p_settlement
          FROM reduced r
          WHERE l.week_id = p_week AND l.bet_id = r.bet_id AND l.number = r.number AND l.pool_id = r.pool_id
            AND (l.status, l.factor_num, l.factor_den) IS DISTINCT FROM (r.status, r.num, r.den)
          RETURNING l.bet_id, l.pool_id)
        SELECT array_agg(c.bet_id), array_agg(c.pool_id) INTO v_bets, v_bet_pools
        FROM (SELECT DISTINCT bet_id, pool_id FROM changed) c;
        IF v_bets IS NULL THEN RETURN 0; END IF;

        WITH legs AS (
          SELECT l.bet_id, l.pool_id,
                 coalesce(bool_or(l.factor_num = 0), false) AS lost,
                 bool_or(l.status = 'placed') AS open,
                 bool_and(l.status = 'void') AS void,
                 count(*) FILTER (WHERE l.status NOT IN ('push', 'void')) AS played,
                 min(l.status) FILTER (WHERE l.status NOT IN ('push', 'void')) AS played_status,
                 min(l.reason) FILTER (WHERE l.status NOT IN ('push', 'void')) AS played_reason,
                 min(l.reason) AS reason, max(l.reason) AS other_reason,
                 product(l.factor_num) AS num, product(l.factor_den) AS den
          FROM unnest(v_bets, v_bet_pools) AS t (bet_id, pool_id)
          JOIN bet_legs l ON l.bet_id = t.bet_id AND l.pool_id = t.pool_id
          WHERE l.week_id = p_week GROUP BY l.bet_id, l.pool_id),
        due AS (
          SELECT b.id, b.pool_id, b.user_id, b.settlement_id AS old_settlement, b.status AS old_status, b.payout AS old_payout,
                 b.stake, l.lost, l.open, l.void, l.played, l.played_status, l.played_reason, l.reason, l.other_reason,
                 CASE WHEN l.lost THEN 0 WHEN NOT l.open THEN div(b.stake * l.num, l.den)::bigint END AS new_payout
          FROM legs l JOIN bets b ON b.id = l.bet_id AND b.pool_id = l.pool_id AND b.week_id = p_week),
        wanted AS (
          SELECT d.id, d.pool_id, d.user_id, d.old_settlement, d.old_status, d.old_payout, d.new_payout, j.status,
                 CASE WHEN j.status = 'void' AND d.reason <> d.other_reason THEN 'LEGS_VOID'
                      WHEN j.status = 'void' THEN d.reason
                      WHEN j.status = 'placed' THEN NULL
                      WHEN d.played = 1 AND NOT d.lost THEN d.played_reason END AS reason
          FROM due d CROSS JOIN LATERAL (SELECT CASE
            WHEN d.lost THEN 'lost' WHEN d.open THEN 'placed' WHEN d.void THEN 'void' WHEN d.played = 0 THEN 'push'
            WHEN d.played = 1 THEN d.played_status WHEN d.new_payout < d.stake THEN 'half_lost' ELSE 'won' END AS status) j),
        changed AS (
          UPDATE bets b
          SET status = w.status, reason = w.reason, payout = w.new_payout,
              settlement_id = CASE WHEN w.status <> 'placed' THEN p_settlement END,
              settled_at = CASE WHEN w.status <> 'placed' THEN p_now END
          FROM wanted w
          WHERE b.week_id = p_week AND b.id = w.id AND b.pool_id = w.pool_id
            AND (w.old_status, w.old_payout) IS DISTINCT FROM (w.status, w.new_payout)
          RETURNING b.id, b.pool_id, b.user_id, w.old_settlement, w.old_status, w.old_payout, b.status, b.payout),
        noted AS (
          INSERT INTO bet_regrades (bet_id, settlement_id, week_id, reversed_settlement_id, old_status, old_payout,
                                    new_status, new_payout, created_at)
          SELECT id, p_settlement, p_week, old_settlement, old_status, old_payout, status, coalesce(payout, 0), p_now
          FROM changed WHERE old_status <> 'placed'),
        sums AS (
          SELECT pool_id, user_id, sum(coalesce(payout, 0) - coalesce(old_payout, 0))::bigint AS delta, count(*)::int AS bets,
                 sum((old_status = 'placed')::int - (status = 'placed')::int)::int AS closed
          FROM changed GROUP BY pool_id, user_id)
        SELECT array_agg(pool_id), array_agg(user_id), array_agg(delta), array_agg(s.closed), coalesce(sum(bets), 0)
        INTO v_pools, v_users, v_deltas, v_closed, v_changed FROM sums s;
        IF v_changed > 0 THEN PERFORM pools_apply_payouts(v_pools, v_users, v_deltas, v_closed); END IF;
        RETURN v_changed;
      END $$;

      -- Grades the bets of some pools on some markets of one game and pays them: singles, and then, where there are any, the
      -- parlays with a leg on them. p_grades is the domain's verdict, p_regrade whether the game was settled before.
      CREATE FUNCTION bets_grade(p_settlement uuid, p_week int, p_pools uuid[], p_markets uuid[], p_starts_at timestamptz,
                                 p_grades jsonb, p_now timestamptz, p_regrade boolean) RETURNS int
      LANGUAGE plpgsql VOLATILE AS $$
      DECLARE
        v_changed int := bets_grade_singles(p_settlement, p_week, p_pools, p_markets, p_starts_at, p_grades, p_now, p_regrade);
      BEGIN
        IF EXISTS (SELECT FROM bet_legs WHERE week_id = p_week AND market_id = ANY (p_markets) AND pool_id = ANY (p_pools)) THEN
          v_changed := v_changed + bets_grade_parlays(p_settlement, p_week, p_pools, p_markets, p_starts_at, p_grades, p_now);
        END IF;
        RETURN v_changed;
      END $$;
      ${gradeChunk({
        order: 'attempts, random()',
        declare: `
        v_code text; v_message text; v_table text; v_constraint text;`,
        before: '        BEGIN',
        after: `
        EXCEPTION WHEN OTHERS OR query_canceled THEN
          -- The same error, with the chunk's number in place of details that may hold values.
          GET STACKED DIAGNOSTICS v_code = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT, v_table = TABLE_NAME,
                                  v_constraint = CONSTRAINT_NAME;
          RAISE EXCEPTION USING ERRCODE = v_code, MESSAGE = v_message, TABLE = v_table, CONSTRAINT = v_constraint,
                                DETAIL = format('chunk %s', c.number);
        END;`,
        done: ', error = NULL',
      })}
      ${refundNotBegun(`
          WHERE b.user_id = p_user AND b.week_id = ANY (p_weeks) AND b.status = 'placed' AND CASE WHEN b.legs = 1 THEN EXISTS (
            SELECT FROM games g WHERE g.id = b.game_id AND NOT g.interrupted
              AND (g.status = 'postponed' OR (g.status = 'scheduled' AND g.starts_at > p_at)))
          -- A parlay stands as soon as one of its games has begun.
          ELSE NOT EXISTS (
            SELECT FROM bet_legs l JOIN games g ON g.id = l.game_id
            WHERE l.bet_id = b.id AND l.pool_id = b.pool_id AND l.week_id = b.week_id
              AND (g.interrupted OR (g.status NOT IN ('postponed', 'cancelled')
                                     AND NOT (g.status = 'scheduled' AND g.starts_at > p_at)))) END`)}
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ${refundNotBegun(`
          FROM games g
          WHERE b.user_id = p_user AND b.week_id = ANY (p_weeks) AND b.status = 'placed' AND g.id = b.game_id
            AND (g.status = 'postponed' OR (g.status = 'scheduled' AND g.starts_at > p_at))`)}
      ${gradeChunk({ order: 'random()', declare: '', before: '', after: '', done: '' })}
      DROP FUNCTION bets_grade, bets_grade_parlays;
      ALTER FUNCTION bets_grade_singles RENAME TO bets_grade;
      DROP TABLE market_void_requests;
      ALTER TABLE settlement_chunks DROP COLUMN attempts, DROP COLUMN error;
      DROP INDEX ix_settlements_status, ix_settlements_week;
      ALTER TABLE settlements DROP COLUMN kind;
      ALTER TABLE games DROP CONSTRAINT games_confirmation_check, DROP COLUMN told_by_person, DROP COLUMN confirm_due_at,
        DROP COLUMN interrupted;
    `);
  }
}
