import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Bets, one partition a week, and the two hot functions: placing one, grading a chunk. */
export class Bets1763700000005 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE SEQUENCE bet_id_seq;

      CREATE TABLE bets (
        id bigint NOT NULL,
        week_id int NOT NULL,
        pool_id uuid NOT NULL,
        user_id uuid NOT NULL,
        game_id uuid NOT NULL,
        market_id uuid NOT NULL,
        odds_id uuid NOT NULL,
        outcome text NOT NULL,
        american int,
        price_num bigint NOT NULL,
        price_den bigint NOT NULL,
        stake bigint NOT NULL CHECK (stake > 0),
        potential_payout bigint NOT NULL,
        status text NOT NULL DEFAULT 'placed'
          CHECK (status IN ('placed', 'won', 'lost', 'push', 'void', 'half_won', 'half_lost')),
        payout bigint CHECK (payout >= 0),
        reason text,
        settlement_id uuid,
        placed_at timestamptz NOT NULL,
        settled_at timestamptz,
        CHECK ((status = 'placed') = (payout IS NULL)),
        CHECK ((status = 'placed') = (settlement_id IS NULL)),
        PRIMARY KEY (id, pool_id, week_id)                       -- by id; grows at its right edge
      ) PARTITION BY LIST (week_id);
      CREATE INDEX ix_bets_user_history ON bets (user_id, id);   -- GET /bets
      CREATE INDEX ix_bets_grading ON bets (market_id, pool_id, week_id); -- a chunk of a settlement; counted without the heap

      -- Makes the partition of a week; doing it twice does it once. It is built apart and attached, so that bets being
      -- placed meanwhile are not blocked. Grading rewrites each row once: room is left in its page.
      CREATE FUNCTION bets_open_week(p_week int) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
      DECLARE
        v_name text := 'bets_' || p_week;
      BEGIN
        PERFORM pg_advisory_xact_lock(4242, p_week);
        IF to_regclass(v_name) IS NOT NULL THEN RETURN; END IF;
        EXECUTE format('CREATE TABLE %I (LIKE bets INCLUDING DEFAULTS INCLUDING CONSTRAINTS) WITH (fillfactor = 85)', v_name);
        EXECUTE format('ALTER TABLE bets ATTACH PARTITION %I FOR VALUES IN (%s)', v_name, p_week);
      END $$;

      -- A refusal: the whole call is rolled back, the code and its details travel as the error's message and detail.
      CREATE FUNCTION bets_refuse(p_code text, p_details jsonb DEFAULT '{}') RETURNS void LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION USING ERRCODE = 'PB001', MESSAGE = p_code, DETAIL = p_details::text;
      END $$;

      -- Places a bet in one round trip. It takes the member's row first (by deducting), enters the gates of the game,
      -- the week and the user, and only then looks at what is committed, in the documented order of refusals:
      -- NOT_IN_POOL, WEEK_NOT_PLAYING, MARKET_NOT_FOUND, GAME_NOT_IN_WEEK, MARKET_NOT_OPEN, GAME_STARTED,
      -- OUTCOME_UNKNOWN, STAKE_TOO_SMALL, STAKE_TOO_LARGE, INSUFFICIENT_CREDITS, the user's own restriction,
      -- ODDS_CHANGED. Who suspends, grades, closes or excludes shuts the gate first, which waits for the bets inside:
      -- once it has committed, no bet is accepted any more, not even one that was waiting for the member's row.
      -- A key that was used before is answered with what was answered then: message REPLAY when the row had been
      -- taken already (the caller asks for the stored answer), the answer itself otherwise.
      CREATE FUNCTION place_bet(
        p_user uuid, p_key text, p_body_hash bytea, p_week int, p_market uuid, p_outcome text, p_stake bigint,
        p_odds uuid, p_accept text, p_min_stake bigint, p_max_stake bigint, p_minimum_age int
      ) RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
      DECLARE
        v_pool uuid;
        v_balance bigint;
        v_taken boolean := false;
        v_now timestamptz;
        v_bet bigint;
        v_payout bigint;
        v_answer jsonb;
        s record;
        o record;
      BEGIN
        LOOP
          UPDATE pool_members m
          SET balance = m.balance - p_stake, staked = m.staked + p_stake,
              bets_placed = m.bets_placed + 1, bets_open = m.bets_open + 1
          FROM week_entries e
          WHERE e.user_id = p_user AND e.week_id = p_week AND m.pool_id = e.pool_id AND m.user_id = e.user_id
            AND m.balance >= p_stake AND p_stake > 0
          RETURNING m.pool_id, m.balance INTO v_pool, v_balance;
          v_taken := FOUND;
          EXIT WHEN v_taken;
          SELECT m.pool_id, m.balance INTO v_pool, v_balance
          FROM week_entries e JOIN pool_members m ON m.pool_id = e.pool_id AND m.user_id = e.user_id
          WHERE e.user_id = p_user AND e.week_id = p_week
          FOR UPDATE OF m;
          IF NOT FOUND THEN
            -- It may be the retry of a bet of a week that has ended meanwhile.
            SELECT k.body_hash, k.response INTO o FROM idempotency_keys k
            WHERE k.user_id = p_user AND k.operation = 'bets.place' AND k.key = p_key;
            IF NOT FOUND THEN PERFORM bets_refuse('NOT_IN_POOL', jsonb_build_object('week', p_week)); END IF;
            IF o.body_hash <> p_body_hash THEN PERFORM bets_refuse('IDEMPOTENCY_KEY_REUSED'); END IF;
            RETURN o.response || '{"replayed": true}';
          END IF;
          EXIT WHEN v_balance < p_stake OR p_stake <= 0;
        END LOOP;

        PERFORM parley_gate_enter(w.gate), parley_gate_enter(p_user), parley_gate_enter(mk.game_id)
        FROM weeks w LEFT JOIN markets mk ON mk.id = p_market
        WHERE w.id = p_week;

        v_now := parley_now();
        SELECT w.status AS week_status, w.starts_at AS week_starts_at, w.ends_at AS week_ends_at,
               mk.status AS market_status, g.id AS game_id, g.starts_at, g.status AS game_status,
               mp.odds_id, mp.american, mp.price_num, mp.price_den, mp.decimal,
               k.body_hash, k.response, c.code AS restriction
        INTO s
        FROM weeks w
        LEFT JOIN markets mk ON mk.id = p_market
        LEFT JOIN games g ON g.id = mk.game_id
        LEFT JOIN market_prices mp ON mp.market_id = mk.id AND mp.outcome = p_outcome
        LEFT JOIN idempotency_keys k ON k.user_id = p_user AND k.operation = 'bets.place' AND k.key = p_key
        LEFT JOIN LATERAL compliance_refusal(p_user, v_now, p_minimum_age) c ON true
        WHERE w.id = p_week;

        IF s.body_hash IS NOT NULL THEN
          IF s.body_hash <> p_body_hash THEN PERFORM bets_refuse('IDEMPOTENCY_KEY_REUSED'); END IF;
          IF v_taken THEN PERFORM bets_refuse('REPLAY'); END IF;
          RETURN s.response || '{"replayed": true}';
        END IF;

        IF s.week_status <> 'grouped' OR v_now < s.week_starts_at OR v_now >= s.week_ends_at THEN
          PERFORM bets_refuse('WEEK_NOT_PLAYING', jsonb_build_object('week', p_week, 'status', s.week_status));
        END IF;
        IF s.game_id IS NULL THEN
          PERFORM bets_refuse('MARKET_NOT_FOUND', jsonb_build_object('marketId', p_market));
        END IF;
        IF s.starts_at < s.week_starts_at OR s.starts_at >= s.week_ends_at THEN
          PERFORM bets_refuse('GAME_NOT_IN_WEEK', jsonb_build_object('startsAt', s.starts_at));
        END IF;
        -- A market that its game's start has closed says so below.
        IF s.market_status <> 'open' AND NOT (s.market_status = 'closed' AND v_now >= s.starts_at) THEN
          PERFORM bets_refuse('MARKET_NOT_OPEN', jsonb_build_object('status', s.market_status));
        END IF;
        IF v_now >= s.starts_at OR s.game_status <> 'scheduled' THEN
          PERFORM bets_refuse('GAME_STARTED', jsonb_build_object('startsAt', s.starts_at));
        END IF;
        IF s.odds_id IS NULL THEN
          PERFORM bets_refuse('OUTCOME_UNKNOWN', jsonb_build_object('field', 'outcome'));
        END IF;
        IF p_stake < p_min_stake THEN
          PERFORM bets_refuse('STAKE_TOO_SMALL', jsonb_build_object('field', 'stake', 'minimum', p_min_stake));
        END IF;
        IF p_stake > p_max_stake THEN
          PERFORM bets_refuse('STAKE_TOO_LARGE', jsonb_build_object('field', 'stake', 'maximum', p_max_stake));
        END IF;
        IF NOT v_taken THEN
          PERFORM bets_refuse('INSUFFICIENT_CREDITS', jsonb_build_object('field', 'stake', 'available', v_balance));
        END IF;
        IF s.restriction IS NOT NULL THEN PERFORM bets_refuse(s.restriction); END IF;
        IF p_odds IS DISTINCT FROM s.odds_id AND NOT (p_odds IS NULL AND p_accept = 'any') THEN
          SELECT price_num, price_den INTO o FROM odds
          WHERE id = p_odds AND market_id = p_market AND outcome = p_outcome;
          IF NOT FOUND THEN
            PERFORM bets_refuse('ODDS_UNKNOWN', jsonb_build_object('field', 'oddsId'));
          ELSIF p_accept = 'exact'
             OR (p_accept = 'better' AND s.price_num * o.price_den < o.price_num * s.price_den) THEN
            PERFORM bets_refuse('ODDS_CHANGED', jsonb_build_object('current', jsonb_build_object(
              'oddsId', s.odds_id, 'american', s.american, 'decimal', round(s.price_num::numeric / s.price_den, 4)::text)));
          END IF;
        END IF;

        v_bet := nextval('bet_id_seq');
        v_payout := p_stake * s.price_num / s.price_den; -- both positive: the division floors
        v_answer := jsonb_build_object(
          'betId', v_bet::text, 'status', 'placed', 'remainingCredits', v_balance, 'potentialPayout', v_payout,
          'stake', p_stake, 'marketId', p_market, 'outcome', p_outcome, 'placedAt', v_now, 'odds', jsonb_build_object(
            'oddsId', s.odds_id, 'american', s.american, 'decimal', round(s.price_num::numeric / s.price_den, 4)::text));
        INSERT INTO bets (id, week_id, pool_id, user_id, game_id, market_id, odds_id, outcome, american, price_num,
                          price_den, stake, potential_payout, placed_at)
        VALUES (v_bet, p_week, v_pool, p_user, s.game_id, p_market, s.odds_id, p_outcome, s.american, s.price_num,
                s.price_den, p_stake, v_payout, v_now);
        INSERT INTO idempotency_keys (user_id, operation, key, body_hash, status, response)
        VALUES (p_user, 'bets.place', p_key, p_body_hash, 201, v_answer);
        RETURN v_answer;
      END $$;

      -- The one formula: floor(S*v + S*(1-v)*w*h*d), exact, floored once. v, h and d are fractions of integers.
      CREATE FUNCTION bet_payout(stake bigint, price_num bigint, price_den bigint, v_num bigint, v_den bigint, w int,
                                 h_num bigint, h_den bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT stake * (v_num * h_den * price_den + (v_den - v_num) * w * h_num * price_num)
               / (v_den * h_den * price_den)
      $$;

      -- Each change of a graded bet: what was reversed and what was posted in its place. Append-only.
      CREATE TABLE bet_regrades (
        bet_id bigint NOT NULL,
        settlement_id uuid NOT NULL,
        week_id int NOT NULL,
        reversed_settlement_id uuid NOT NULL,
        old_status text NOT NULL,
        old_payout bigint NOT NULL,
        new_status text NOT NULL,
        new_payout bigint NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (bet_id, settlement_id)
      );
      CREATE TRIGGER bet_regrades_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON bet_regrades
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

      -- Grades the bets of some pools on some markets of one game and pays them. p_grades is the domain's verdict, one
      -- object an outcome: {market_id, outcome, status, reason, v_num, v_den, w, h_num, h_den}. A bet taken at or after
      -- the official start is void. With p_regrade, bets that were graded otherwise before are reversed and posted anew.
      -- Running it twice changes nothing. The caller's transaction holds the settlement; this one takes the pools.
      CREATE FUNCTION bets_grade(p_settlement uuid, p_week int, p_pools uuid[], p_markets uuid[], p_starts_at timestamptz,
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
            AND b.settlement_id <> p_settlement),
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
      END $$;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION bets_grade, bet_payout, place_bet, bets_refuse, bets_open_week;
      DROP TABLE bet_regrades, bets;
      DROP SEQUENCE bet_id_seq;
    `);
  }
}
