import type { MigrationInterface, QueryRunner } from 'typeorm';

/** As of 45, by what it knows an outcome without a price, and one that has had one. */
const oddsTake = ({ unpriced, priced }: { unpriced: string; priced: string }) => `
      CREATE OR REPLACE FUNCTION odds_take(
        p_games uuid[], p_markets uuid[], p_outcomes text[], p_odds uuid[], p_american int[], p_decimal numeric[],
        p_num bigint[], p_den bigint[], p_fresh uuid[]
      ) RETURNS TABLE (place int, seq bigint) LANGUAGE plpgsql VOLATILE
      SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off
      SET enable_material = off SET plan_cache_mode = force_generic_plan AS $$
      DECLARE
        v_now timestamptz;
      BEGIN
        PERFORM FROM game_heads h
        WHERE h.game_id = ANY (ARRAY(SELECT DISTINCT g FROM unnest(p_games || p_fresh) AS g))
        ORDER BY h.game_id FOR NO KEY UPDATE;
        v_now := parley_now();

        RETURN QUERY
        WITH asked AS MATERIALIZED (
          SELECT DISTINCT ON (a.market_id, a.outcome) a.*
          FROM unnest(p_games, p_markets, p_outcomes, p_odds, p_american, p_decimal, p_num, p_den)
            WITH ORDINALITY AS a (game_id, market_id, outcome, odds_id, american, decimal, price_num, price_den, place)
          ORDER BY a.market_id, a.outcome, a.place DESC),
        changed AS MATERIALIZED (
          SELECT a.*, h.seq + 1 AS seq
          FROM asked a
          JOIN markets m ON m.id = a.market_id AND m.game_id = a.game_id
          JOIN games g ON g.id = a.game_id
          JOIN game_heads h ON h.game_id = a.game_id
          LEFT JOIN market_prices p ON p.market_id = a.market_id AND p.outcome = a.outcome
          WHERE (${unpriced} AND CASE m.kind
                   WHEN 'prop' THEN m.outcomes @> jsonb_build_array(jsonb_build_object('key', a.outcome))
                   WHEN 'three_way' THEN a.outcome IN ('home', 'draw', 'away')
                   WHEN 'total' THEN a.outcome IN ('over', 'under')
                   ELSE a.outcome IN ('home', 'away') END)
             OR (${priced} AND (p.american, p.decimal) IS DISTINCT FROM (a.american, a.decimal)
                 AND g.status = 'scheduled' AND g.starts_at > v_now)),
        counted AS (
          UPDATE game_heads h SET seq = coalesce(t.seq, h.seq), fresh_at = CASE WHEN t.fresh THEN v_now ELSE h.fresh_at END
          FROM (SELECT e.game_id, max(e.seq) AS seq, bool_or(e.fresh) AS fresh
                FROM (SELECT c.game_id, c.seq, false AS fresh FROM changed c
                      UNION ALL SELECT f.id, NULL, true FROM unnest(p_fresh) AS f (id)) e
                GROUP BY e.game_id) t
          WHERE h.game_id = t.game_id),
        kept AS (
          INSERT INTO odds (id, market_id, outcome, american, decimal, price_num, price_den, created_at)
          SELECT c.odds_id, c.market_id, c.outcome, c.american, c.decimal, c.price_num, c.price_den, v_now FROM changed c),
        moved AS (
          INSERT INTO market_prices (market_id, outcome, odds_id, american, decimal, price_num, price_den, seq)
          SELECT c.market_id, c.outcome, c.odds_id, c.american, c.decimal, c.price_num, c.price_den, c.seq FROM changed c
          ON CONFLICT ON CONSTRAINT market_prices_pkey DO UPDATE
            SET odds_id = excluded.odds_id, american = excluded.american, decimal = excluded.decimal,
                price_num = excluded.price_num, price_den = excluded.price_den, seq = excluded.seq)
        SELECT c.place::int, c.seq FROM changed c;
      END $$;`;

interface Reasons {
  declare: string;
  held: string;
  wanted: string;
  singles: string;
  parlays: string;
  count: string;
  into: string;
  plus: string;
}

/** As of 31, under the name that 43 gave it; `told` is what becomes of a bet whose reason alone is another. */
const gradeSingles = (told: Reasons) => `
    CREATE OR REPLACE FUNCTION bets_grade_singles(p_settlement uuid, p_week int, p_pools uuid[], p_markets uuid[], p_starts_at timestamptz,
                               p_grades jsonb, p_now timestamptz, p_regrade boolean) RETURNS int
    LANGUAGE plpgsql VOLATILE AS $$
    DECLARE
      v_pools uuid[]; v_users uuid[]; v_deltas bigint[]; v_closed int[];
      v_graded int := 0;
      v_regraded int := 0;${told.declare}
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
          AND b.settlement_id <> p_settlement
            AND b.reason IS DISTINCT FROM 'SELF_EXCLUDED'),
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
        SELECT id, p_settlement, p_week, old_settlement, old_status, old_payout, status, payout, p_now FROM changed),${told.singles}
      sums AS (SELECT pool_id, user_id, sum(payout - old_payout)::bigint AS delta, count(*)::int AS bets
               FROM changed GROUP BY pool_id, user_id)
      SELECT array_agg(pool_id), array_agg(user_id), array_agg(delta), array_agg(0), coalesce(sum(bets), 0)${told.count}
      INTO v_pools, v_users, v_deltas, v_closed, v_regraded${told.into} FROM sums;
      IF v_regraded > 0 THEN PERFORM pools_apply_payouts(v_pools, v_users, v_deltas, v_closed); END IF;
      RETURN v_graded + v_regraded${told.plus};
    END $$;`;

/** As of 43; the same of parlays and of their legs. */
const gradeParlays = (told: Reasons) => `
      CREATE OR REPLACE FUNCTION bets_grade_parlays(p_settlement uuid, p_week int, p_pools uuid[], p_markets uuid[], p_starts_at timestamptz,
                                         p_grades jsonb, p_now timestamptz) RETURNS int
      LANGUAGE plpgsql VOLATILE
      SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
      DECLARE
        v_bets bigint[]; v_bet_pools uuid[];
        v_pools uuid[]; v_users uuid[]; v_deltas bigint[]; v_closed int[];
        v_changed int := 0;${told.declare}
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
            AND (l.status, l.factor_num, l.factor_den${told.held}) IS DISTINCT FROM (r.status, r.num, r.den${told.wanted})
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
          FROM changed WHERE old_status <> 'placed'),${told.parlays}
        sums AS (
          SELECT pool_id, user_id, sum(coalesce(payout, 0) - coalesce(old_payout, 0))::bigint AS delta, count(*)::int AS bets,
                 sum((old_status = 'placed')::int - (status = 'placed')::int)::int AS closed
          FROM changed GROUP BY pool_id, user_id)
        SELECT array_agg(pool_id), array_agg(user_id), array_agg(delta), array_agg(s.closed), coalesce(sum(bets), 0)${told.count}
        INTO v_pools, v_users, v_deltas, v_closed, v_changed${told.into} FROM sums s;
        IF v_changed > 0 THEN PERFORM pools_apply_payouts(v_pools, v_users, v_deltas, v_closed); END IF;
        RETURN v_changed${told.plus};
      END $$;`;

const KEPT: Reasons = {
  declare: '',
  held: '',
  wanted: '',
  singles: '',
  parlays: '',
  count: '',
  into: '',
  plus: '',
};

/** It is no regrade: status, payout and the settlement that they are of stay. */
const FOLLOWED: Reasons = {
  declare: ' v_told int;',
  held: ', l.reason',
  wanted: ', r.reason',
  singles: `
      told AS (
        UPDATE bets b SET reason = w.reason FROM wanted w
        WHERE b.week_id = p_week AND b.id = w.id AND b.pool_id = w.pool_id
          AND w.old_status = w.status AND w.old_payout = w.payout AND b.reason IS DISTINCT FROM w.reason
        RETURNING 1),`,
  parlays: `
        told AS (
          UPDATE bets b SET reason = w.reason FROM wanted w
          WHERE b.week_id = p_week AND b.id = w.id AND b.pool_id = w.pool_id
            AND (w.old_status, w.old_payout) IS NOT DISTINCT FROM (w.status, w.new_payout)
            AND b.reason IS DISTINCT FROM w.reason
          RETURNING 1),`,
  count: ', (SELECT count(*) FROM told)',
  into: ', v_told',
  plus: ' + v_told',
};

/** Two people cancel a game with many bets, a feed takes the price of one outcome away, and reasons follow the facts. */
export class SecondWords1763700000047 implements MigrationInterface {
  name = 'SecondWords1763700000047';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      -- A word on a whole game waits here as well: without a market, and with what was said of the game but for the reason.
      ALTER TABLE market_void_requests
        ADD COLUMN game_id uuid REFERENCES games,
        ADD COLUMN report jsonb,
        ALTER COLUMN market_id DROP NOT NULL,
        ALTER COLUMN reason DROP NOT NULL; -- where the word needs none
      UPDATE market_void_requests r SET game_id = m.game_id FROM markets m WHERE m.id = r.market_id;
      ALTER TABLE market_void_requests
        ALTER COLUMN game_id SET NOT NULL,
        ADD CONSTRAINT market_void_requests_word_check CHECK ((market_id IS NULL) = (report IS NOT NULL)),
        ADD CONSTRAINT market_void_requests_reason_check CHECK (market_id IS NULL OR reason IS NOT NULL);
      CREATE UNIQUE INDEX ux_market_void_requests_pending_game ON market_void_requests (game_id)
        WHERE market_id IS NULL AND approved_at IS NULL;
      CREATE INDEX ix_market_void_requests_game ON market_void_requests (game_id);

      -- Null: its feed offers the outcome no longer. The row says that it had a price once.
      ALTER TABLE market_prices
        ALTER COLUMN odds_id DROP NOT NULL,
        ALTER COLUMN price_num DROP NOT NULL,
        ALTER COLUMN price_den DROP NOT NULL,
        ADD CONSTRAINT market_prices_whole_check
          CHECK ((odds_id IS NULL) = (price_num IS NULL) AND (odds_id IS NULL) = (price_den IS NULL));

      -- Takes the current prices of outcomes away, which its feed offers no longer: no bet is taken on them until odds_take has
      -- another. Their markets count as changed, so that who follows the game is told them whole. Of a game that has started the last
      -- price stays what it was. The caller holds the games, their shut gates and their heads; answers the games.
      CREATE FUNCTION odds_withdraw(p_markets uuid[], p_outcomes text[]) RETURNS SETOF uuid LANGUAGE sql VOLATILE AS $$
        WITH gone AS (
          UPDATE market_prices p SET odds_id = NULL, american = NULL, decimal = NULL, price_num = NULL, price_den = NULL
          FROM unnest(p_markets, p_outcomes) AS a (market_id, outcome), markets m, games g
          WHERE p.market_id = a.market_id AND p.outcome = a.outcome AND p.odds_id IS NOT NULL
            AND m.id = a.market_id AND m.of_feed AND m.status IN ('open', 'suspended', 'closed')
            AND g.id = m.game_id AND g.status = 'scheduled' AND g.starts_at > parley_now()
          RETURNING p.market_id)
        UPDATE markets m SET seq = game_changed(m.game_id), updated_at = clock_timestamp()
        WHERE m.id IN (SELECT market_id FROM gone) RETURNING m.game_id
      $$;
      ${oddsTake({ unpriced: 'p.market_id IS NULL', priced: 'p.market_id IS NOT NULL' })}
      ${gradeSingles(FOLLOWED)}
      ${gradeParlays(FOLLOWED)}
    `);
  }

  /** Refuses where a word on a game was asked for, which the schema before cannot hold; a price that was taken away is none there. */
  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DO $$
      BEGIN
        IF EXISTS (SELECT FROM market_void_requests WHERE market_id IS NULL) THEN
          RAISE EXCEPTION 'words on games that waited for a second person are stored, which the schema before cannot hold: go forward instead'
            USING ERRCODE = 'object_not_in_prerequisite_state';
        END IF;
      END $$;
      ${gradeParlays(KEPT)}
      ${gradeSingles(KEPT)}
      ${oddsTake({ unpriced: 'p.odds_id IS NULL', priced: 'p.odds_id IS NOT NULL' })}
      DROP FUNCTION odds_withdraw;
      DELETE FROM market_prices WHERE odds_id IS NULL;
      ALTER TABLE market_prices
        DROP CONSTRAINT market_prices_whole_check,
        ALTER COLUMN odds_id SET NOT NULL,
        ALTER COLUMN price_num SET NOT NULL,
        ALTER COLUMN price_den SET NOT NULL;
      DROP INDEX ux_market_void_requests_pending_game;
      DROP INDEX ix_market_void_requests_game;
      ALTER TABLE market_void_requests
        DROP CONSTRAINT market_void_requests_reason_check,
        DROP CONSTRAINT market_void_requests_word_check,
        DROP COLUMN game_id,
        DROP COLUMN report,
        ALTER COLUMN market_id SET NOT NULL,
        ALTER COLUMN reason SET NOT NULL;
    `);
  }
}
