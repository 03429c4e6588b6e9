import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Bets are placed in groups: what many members ask for at once is one call, one commit. */
export class BetsInGroups1763700000021 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION place_bet, bets_refuse;

      -- As parley_gate_enter, but false instead of waiting when the gate is shut, or someone waits to shut it.
      CREATE FUNCTION parley_gate_try(subject uuid) RETURNS boolean LANGUAGE sql VOLATILE AS
        'SELECT pg_try_advisory_xact_lock_shared(uuid_hash_extended(subject, 7))';

      -- Places a group of bets in one round trip, each of another user (the caller sees to that), and answers one row a
      -- bet, in any order: the answer, or the code of its refusal with details. One bet's refusal changes nothing for the
      -- others.
      --
      -- It takes the members' rows first, enters the gates of the week, the users and the games, and only then looks, with
      -- a new snapshot, at what is committed, in the documented order of refusals: NOT_IN_POOL, WEEK_NOT_PLAYING,
      -- MARKET_NOT_FOUND, GAME_NOT_IN_WEEK, MARKET_NOT_OPEN, GAME_STARTED, OUTCOME_UNKNOWN, STAKE_TOO_SMALL,
      -- STAKE_TOO_LARGE, INSUFFICIENT_CREDITS, the user's own restriction, ODDS_UNKNOWN, ODDS_CHANGED. Who suspends,
      -- grades, closes or excludes shuts the gate first, which waits for the bets inside: once it has committed, no bet is
      -- accepted any more, not even one that was waiting for the member's row.
      --
      -- A group never waits for a row or a gate, so that it holds nobody up and can be in no deadlock: what it cannot have
      -- at once is answered BUSY, and the caller asks for that bet again by itself with p_wait, which waits for it.
      -- A key that was used before is answered with what was answered then and "replayed".
      --
      -- The settings hold the plan to primary keys whatever the statistics say: a session keeps its plan, and one made
      -- while a table was empty would read it whole when it no longer is.
      CREATE FUNCTION place_bets(
        p_users uuid[], p_keys text[], p_body_hashes bytea[], p_markets uuid[], p_outcomes text[], p_stakes bigint[],
        p_odds uuid[], p_accepts text[], p_weeks int[], p_min_stake bigint, p_max_stake bigint, p_minimum_age int,
        p_wait boolean
      ) RETURNS TABLE (i bigint, refusal text, details jsonb, answer jsonb) LANGUAGE plpgsql VOLATILE
      SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off
      SET enable_material = off SET plan_cache_mode = force_generic_plan AS $$
      DECLARE
        v_held bigint[]; -- the bets whose member's row, then whose gates too, are held
      BEGIN
        IF p_wait THEN
          SELECT array_agg(l.i) INTO v_held FROM (
            SELECT b.i FROM unnest(p_users, p_weeks) WITH ORDINALITY AS b (user_id, week_id, i)
            JOIN week_entries e ON e.week_id = b.week_id AND e.user_id = b.user_id
            JOIN pool_members m ON m.pool_id = e.pool_id AND m.user_id = e.user_id
            ORDER BY m.pool_id, m.user_id FOR NO KEY UPDATE OF m) l;
          PERFORM parley_gate_enter(w.gate), parley_gate_enter(b.user_id), parley_gate_enter(mk.game_id)
          FROM unnest(p_users, p_weeks, p_markets) AS b (user_id, week_id, market_id)
          JOIN weeks w ON w.id = b.week_id
          LEFT JOIN markets mk ON mk.id = b.market_id;
        ELSE
          SELECT array_agg(l.i) INTO v_held FROM (
            SELECT b.i FROM unnest(p_users, p_weeks) WITH ORDINALITY AS b (user_id, week_id, i)
            JOIN week_entries e ON e.week_id = b.week_id AND e.user_id = b.user_id
            JOIN pool_members m ON m.pool_id = e.pool_id AND m.user_id = e.user_id
            FOR NO KEY UPDATE OF m SKIP LOCKED) l;
          SELECT array_agg(h.i) INTO v_held
          FROM unnest(v_held) AS h (i) JOIN weeks w ON w.id = p_weeks[h.i]
          LEFT JOIN markets mk ON mk.id = p_markets[h.i]
          WHERE parley_gate_try(w.gate) AND parley_gate_try(p_users[h.i])
            AND (mk.game_id IS NULL OR parley_gate_try(mk.game_id));
        END IF;

        RETURN QUERY
        WITH asked AS MATERIALIZED (
          SELECT b.*, t.at, m.pool_id, m.balance, w.status AS week_status, mk.status AS market_status, g.id AS game_id,
                 g.starts_at, mp.odds_id, mp.american, mp.price_num, mp.price_den, k.response,
                 CASE
                   WHEN k.body_hash IS NOT NULL THEN
                     CASE WHEN k.body_hash <> b.body_hash THEN 'IDEMPOTENCY_KEY_REUSED' ELSE 'REPLAYED' END
                   WHEN m.pool_id IS NULL THEN 'NOT_IN_POOL'
                   WHEN b.i = ANY (v_held) IS NOT TRUE THEN 'BUSY'
                   WHEN w.status <> 'grouped' OR t.at < w.starts_at OR t.at >= w.ends_at THEN 'WEEK_NOT_PLAYING'
                   WHEN g.id IS NULL THEN 'MARKET_NOT_FOUND'
                   WHEN g.starts_at < w.starts_at OR g.starts_at >= w.ends_at THEN 'GAME_NOT_IN_WEEK'
                   -- A market that its game's start has closed says so below.
                   WHEN mk.status <> 'open' AND NOT (mk.status = 'closed' AND t.at >= g.starts_at) THEN 'MARKET_NOT_OPEN'
                   WHEN t.at >= g.starts_at OR g.status <> 'scheduled' THEN 'GAME_STARTED'
                   WHEN mp.odds_id IS NULL THEN 'OUTCOME_UNKNOWN'
                   WHEN b.stake < p_min_stake THEN 'STAKE_TOO_SMALL'
                   WHEN b.stake > p_max_stake THEN 'STAKE_TOO_LARGE'
                   WHEN m.balance < b.stake THEN 'INSUFFICIENT_CREDITS'
                   WHEN c.code IS NOT NULL THEN c.code
                   WHEN b.odds IS DISTINCT FROM mp.odds_id AND NOT (b.odds IS NULL AND b.accept = 'any') THEN
                     nullif(coalesce((
                       SELECT CASE WHEN b.accept = 'exact'
                                     OR (b.accept = 'better' AND mp.price_num * o.price_den < o.price_num * mp.price_den)
                                   THEN 'ODDS_CHANGED' ELSE '' END
                       FROM odds o WHERE o.id = b.odds AND o.market_id = mk.id AND o.outcome = b.outcome), 'ODDS_UNKNOWN'), '')
                 END AS refusal
          FROM unnest(p_users, p_keys, p_body_hashes, p_markets, p_outcomes, p_stakes, p_odds, p_accepts, p_weeks)
            WITH ORDINALITY AS b (user_id, key, body_hash, market_id, outcome, stake, odds, accept, week_id, i)
          CROSS JOIN (SELECT parley_now() AS at) t
          LEFT JOIN idempotency_keys k ON k.user_id = b.user_id AND k.operation = 'bets.place' AND k.key = b.key
          LEFT JOIN week_entries e ON e.week_id = b.week_id AND e.user_id = b.user_id
          LEFT JOIN pool_members m ON m.pool_id = e.pool_id AND m.user_id = e.user_id
          LEFT JOIN weeks w ON w.id = b.week_id
          LEFT JOIN markets mk ON mk.id = b.market_id
          LEFT JOIN games g ON g.id = mk.game_id
          LEFT JOIN market_prices mp ON mp.market_id = mk.id AND mp.outcome = b.outcome
          LEFT JOIN LATERAL compliance_refusal(b.user_id, t.at, p_minimum_age) c ON true),
        accepted AS MATERIALIZED (
          SELECT a.i, nextval('bet_id_seq') AS bet_id, a.balance - a.stake AS remaining,
                 a.stake * a.price_num / a.price_den AS payout -- both positive: the division floors
          FROM asked a WHERE a.refusal IS NULL),
        taken AS (
          UPDATE pool_members m
          SET balance = m.balance - a.stake, staked = m.staked + a.stake, bets_placed = m.bets_placed + 1,
              bets_open = m.bets_open + 1
          FROM asked a WHERE a.refusal IS NULL AND m.pool_id = a.pool_id AND m.user_id = a.user_id),
        placed AS (
          INSERT INTO bets (id, week_id, pool_id, user_id, game_id, market_id, odds_id, outcome, american, price_num,
                            price_den, stake, potential_payout, placed_at)
          SELECT n.bet_id, a.week_id, a.pool_id, a.user_id, a.game_id, a.market_id, a.odds_id, a.outcome, a.american,
                 a.price_num, a.price_den, a.stake, n.payout, a.at
          FROM accepted n JOIN asked a ON a.i = n.i),
        kept AS (
          INSERT INTO idempotency_keys AS k (user_id, operation, key, body_hash, status, response)
          SELECT a.user_id, 'bets.place', a.key, a.body_hash, 201, jsonb_build_object(
            'betId', n.bet_id::text, 'status', 'placed', 'remainingCredits', n.remaining, 'potentialPayout', n.payout,
            'stake', a.stake, 'marketId', a.market_id, 'outcome', a.outcome, 'placedAt', a.at, 'odds', jsonb_build_object(
              'oddsId', a.odds_id, 'american', a.american, 'decimal', round(a.price_num::numeric / a.price_den, 4)::text))
          FROM accepted n JOIN asked a ON a.i = n.i
          RETURNING k.user_id, k.response)
        SELECT a.i, nullif(a.refusal, 'REPLAYED'),
               CASE a.refusal
                 WHEN 'NOT_IN_POOL' THEN jsonb_build_object('week', a.week_id)
                 WHEN 'WEEK_NOT_PLAYING' THEN jsonb_build_object('week', a.week_id, 'status', a.week_status)
                 WHEN 'MARKET_NOT_FOUND' THEN jsonb_build_object('marketId', a.market_id)
                 WHEN 'GAME_NOT_IN_WEEK' THEN jsonb_build_object('startsAt', a.starts_at)
                 WHEN 'MARKET_NOT_OPEN' THEN jsonb_build_object('status', a.market_status)
                 WHEN 'GAME_STARTED' THEN jsonb_build_object('startsAt', a.starts_at)
                 WHEN 'OUTCOME_UNKNOWN' THEN jsonb_build_object('field', 'outcome')
                 WHEN 'STAKE_TOO_SMALL' THEN jsonb_build_object('field', 'stake', 'minimum', p_min_stake)
                 WHEN 'STAKE_TOO_LARGE' THEN jsonb_build_object('field', 'stake', 'maximum', p_max_stake)
                 WHEN 'INSUFFICIENT_CREDITS' THEN jsonb_build_object('field', 'stake', 'available', a.balance)
                 WHEN 'ODDS_UNKNOWN' THEN jsonb_build_object('field', 'oddsId')
                 WHEN 'ODDS_CHANGED' THEN jsonb_build_object('current', jsonb_build_object(
                   'oddsId', a.odds_id, 'american', a.american,
                   'decimal', round(a.price_num::numeric / a.price_den, 4)::text))
               END,
               CASE a.refusal WHEN 'REPLAYED' THEN a.response || '{"replayed": true}' ELSE k.response END
        FROM asked a LEFT JOIN kept k ON k.user_id = a.user_id;
      END $$;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION place_bets, parley_gate_try;

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
    `);
  }
}
