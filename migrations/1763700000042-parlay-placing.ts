import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Plans by primary keys, whatever the statistics say (see …21). */
const BY_KEYS = `SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off
      SET enable_material = off SET plan_cache_mode = force_generic_plan`;

interface Limits {
  parameter: string;
  columns: string;
  joins: string;
  refusals: string;
  details: string;
}

/** `place_bets` as of 21, with what a stake and a payout may be at most. */
const placeBets = (limits: Limits) => `
      -- Places a group of bets in one round trip, each of another user (the caller sees to that), and answers one row a
      -- bet, in any order: the answer, or the code of its refusal with details. One bet's refusal changes nothing for the
      -- others.
      --
      -- It takes the members' rows first, enters the gates of the week, the users and the games, and only then looks, with
      -- a new snapshot, at what is committed, in the documented order of refusals (placementErrors). Who suspends,
      -- grades, closes or excludes shuts the gate first, which waits for the bets inside: once it has committed, no bet is
      -- accepted any more, not even one that was waiting for the member's row.
      --
      -- A group never waits for a row or a gate, so that it holds nobody up and can be in no deadlock: what it cannot have
      -- at once is answered BUSY, and the caller asks for that bet again by itself with p_wait, which waits for it.
      -- A key that was used before is answered with what was answered then and "replayed".
      CREATE FUNCTION place_bets(
        p_users uuid[], p_keys text[], p_body_hashes bytea[], p_markets uuid[], p_outcomes text[], p_stakes bigint[],
        p_odds uuid[], p_accepts text[], p_weeks int[], p_min_stake bigint, p_max_stake bigint,${limits.parameter} p_minimum_age int,
        p_wait boolean
      ) RETURNS TABLE (i bigint, refusal text, details jsonb, answer jsonb) LANGUAGE plpgsql VOLATILE
      ${BY_KEYS} AS $$
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
                 g.starts_at, mp.odds_id, mp.american, mp.price_num, mp.price_den, k.response,${limits.columns}
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
                   WHEN b.stake > p_max_stake THEN 'STAKE_TOO_LARGE'${limits.refusals}
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
          LEFT JOIN market_prices mp ON mp.market_id = mk.id AND mp.outcome = b.outcome${limits.joins}
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
                 WHEN 'STAKE_TOO_LARGE' THEN jsonb_build_object('field', 'stake', 'maximum', p_max_stake)${limits.details}
                 WHEN 'INSUFFICIENT_CREDITS' THEN jsonb_build_object('field', 'stake', 'available', a.balance)
                 WHEN 'ODDS_UNKNOWN' THEN jsonb_build_object('field', 'oddsId')
                 WHEN 'ODDS_CHANGED' THEN jsonb_build_object('current', jsonb_build_object(
                   'oddsId', a.odds_id, 'american', a.american,
                   'decimal', round(a.price_num::numeric / a.price_den, 4)::text))
               END,
               CASE a.refusal WHEN 'REPLAYED' THEN a.response || '{"replayed": true}' ELSE k.response END
        FROM asked a LEFT JOIN kept k ON k.user_id = a.user_id;
      END $$;`;

const BEFORE: Limits = { parameter: '', columns: '', joins: '', refusals: '', details: '' };

/** A stake is compared with what it may be, not its payout with what that may be: no product of the two is too large for a bigint. */
const LIMITED: Limits = {
  parameter: ' p_max_payout bigint,',
  columns: `
                 greatest(least(mk.max_stake, ul.max_stake) - s.staked, 0) AS room,
                 ((p_max_payout + 1) * mp.price_den - 1) / mp.price_num AS paying,`,
  joins: `
          LEFT JOIN user_stake_limits ul ON ul.user_id = b.user_id
          -- Null, and not asked, where there is no limit.
          LEFT JOIN LATERAL (
            SELECT bets_staked_on(b.user_id, b.week_id, mk.id) AS staked
            WHERE mk.max_stake IS NOT NULL OR ul.max_stake IS NOT NULL OFFSET 0) s ON true`,
  refusals: `
                   WHEN b.stake > least(mk.max_stake, ul.max_stake) - s.staked THEN 'ABOVE_MARKET_MAX'
                   WHEN b.stake > ((p_max_payout + 1) * mp.price_den - 1) / mp.price_num THEN 'PAYOUT_TOO_LARGE'`,
  details: `
                 WHEN 'ABOVE_MARKET_MAX' THEN jsonb_build_object('field', 'stake', 'maximum', a.room)
                 WHEN 'PAYOUT_TOO_LARGE' THEN jsonb_build_object('field', 'stake', 'maximum', a.paying)`,
};

/** Parlays, what may be staked and won at most, and taking a bet back. */
export class ParlayPlacing1763700000042 implements MigrationInterface {
  name = 'ParlayPlacing1763700000042';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      -- What a user has staked on a market this week: a parlay's stake counts on each of its legs' markets, a bet that was taken
      -- back counts no more. Asked only where there is a limit. Indexes: ix_bets_user_history and the primary key of bet_legs; it
      -- is written so that those of the markets, on which there are everybody's bets, cannot be used.
      CREATE FUNCTION bets_staked_on(p_user uuid, p_week int, p_market uuid) RETURNS bigint LANGUAGE plpgsql STABLE STRICT AS $$
      BEGIN
        RETURN (SELECT coalesce(sum(b.stake), 0) FROM bets b
                WHERE b.user_id = p_user AND b.week_id = p_week AND b.status <> 'cancelled'
                  AND CASE WHEN b.legs = 1 THEN b.market_id = p_market
                      ELSE p_market IN (SELECT l.market_id FROM bet_legs l
                                        WHERE l.bet_id = b.id AND l.pool_id = b.pool_id AND l.week_id = p_week) END);
      END $$;

      DROP FUNCTION place_bets;
      ${placeBets(LIMITED)}

      -- Looks, without a lock, at a slip of one leg or several as it would be placed now: who the member is, what is paid, and all that
      -- it would be refused for, in the documented order of refusals; the first of them is what placing answers. A refusal of a
      -- parlay's leg names it. Every column is null where what it is made of is unknown.
      CREATE FUNCTION bets_look(
        p_user uuid, p_week int, p_markets uuid[], p_outcomes text[], p_odds uuid[], p_stake bigint, p_accept text,
        p_min_stake bigint, p_max_stake bigint, p_max_payout bigint, p_minimum_age int
      ) RETURNS TABLE (
        at timestamptz, pool_id uuid, balance bigint, num numeric, den numeric,
        room bigint,    -- what the limits of the markets and of the user leave, on the fullest of them; null: no limit
        paying bigint,  -- the largest stake that pays no more than is paid
        legs jsonb, refusals jsonb
      ) LANGUAGE plpgsql VOLATILE
      ${BY_KEYS} AS $$
      #variable_conflict use_column
      DECLARE
        v_at timestamptz := parley_now();
        v_single boolean := cardinality(p_markets) = 1;
      BEGIN
        RETURN QUERY
        WITH leg AS MATERIALIZED (
          SELECT a.n, a.market_id, a.outcome, mk.status AS market_status, g.id AS game_id, g.starts_at,
                 mp.odds_id, mp.american, mp.price_num, mp.price_den,
                 CASE WHEN s.staked IS NOT NULL THEN greatest(least(mk.max_stake, ul.max_stake) - s.staked, 0) END AS room,
                 CASE WHEN v_single THEN '{}' ELSE jsonb_build_object('leg', a.n) END AS which,
                 jsonb_build_object('oddsId', mp.odds_id, 'american', mp.american,
                   'decimal', round(mp.price_num::numeric / mp.price_den, 4)::text) AS price,
                 a.odds IS NOT NULL AND a.odds IS DISTINCT FROM mp.odds_id AS moved,
                 CASE
                   WHEN g.id IS NULL THEN 'MARKET_NOT_FOUND'
                   WHEN g.starts_at < w.starts_at OR g.starts_at >= w.ends_at THEN 'GAME_NOT_IN_WEEK'
                   WHEN mk.status <> 'open' AND NOT (mk.status = 'closed' AND v_at >= g.starts_at) THEN 'MARKET_NOT_OPEN'
                   WHEN v_at >= g.starts_at OR g.status <> 'scheduled' THEN 'GAME_STARTED'
                   WHEN mp.odds_id IS NULL THEN 'OUTCOME_UNKNOWN'
                 END AS refusal,
                 CASE WHEN mp.odds_id IS NOT NULL AND a.odds IS DISTINCT FROM mp.odds_id AND NOT (a.odds IS NULL AND p_accept = 'any') THEN
                   CASE WHEN o.id IS NULL THEN 'ODDS_UNKNOWN'
                        WHEN p_accept = 'exact' OR (p_accept = 'better' AND mp.price_num * o.price_den < o.price_num * mp.price_den)
                          THEN 'ODDS_CHANGED' END
                 END AS odds_refusal
          FROM unnest(p_markets, p_outcomes, p_odds) WITH ORDINALITY AS a (market_id, outcome, odds, n)
          LEFT JOIN weeks w ON w.id = p_week
          LEFT JOIN markets mk ON mk.id = a.market_id
          LEFT JOIN games g ON g.id = mk.game_id
          LEFT JOIN market_prices mp ON mp.market_id = mk.id AND mp.outcome = a.outcome
          LEFT JOIN odds o ON o.id = a.odds AND o.market_id = mk.id AND o.outcome = a.outcome
          LEFT JOIN user_stake_limits ul ON ul.user_id = p_user
          -- Null, and not asked, where there is no limit.
          LEFT JOIN LATERAL (
            SELECT bets_staked_on(p_user, p_week, mk.id) AS staked
            WHERE mk.max_stake IS NOT NULL OR ul.max_stake IS NOT NULL OFFSET 0) s ON true),
        price AS MATERIALIZED (
          SELECT CASE WHEN count(*) = count(l.price_num) THEN product(l.price_num) END AS num,
                 CASE WHEN count(*) = count(l.price_den) THEN product(l.price_den) END AS den,
                 min(l.room) AS room
          FROM leg l),
        slip AS MATERIALIZED (
          SELECT m.pool_id, m.balance, w.status, w.starts_at, w.ends_at, c.code, p.num, p.den, p.room,
                 div((p_max_payout + 1) * p.den - 1, p.num)::bigint AS paying
          FROM price p
          LEFT JOIN week_entries e ON e.week_id = p_week AND e.user_id = p_user
          LEFT JOIN pool_members m ON m.pool_id = e.pool_id AND m.user_id = e.user_id
          LEFT JOIN weeks w ON w.id = p_week
          LEFT JOIN LATERAL compliance_refusal(p_user, v_at, p_minimum_age) c ON true),
        found AS (
          SELECT r.rank, 0::bigint AS n, r.code, r.details
          FROM slip s CROSS JOIN LATERAL (VALUES
            (1, 'NOT_IN_POOL', s.pool_id IS NULL, jsonb_build_object('week', p_week)),
            (2, 'WEEK_NOT_PLAYING', s.status <> 'grouped' OR v_at < s.starts_at OR v_at >= s.ends_at,
             jsonb_build_object('week', p_week, 'status', s.status)),
            (9, 'STAKE_TOO_SMALL', p_stake < p_min_stake, jsonb_build_object('field', 'stake', 'minimum', p_min_stake)),
            (10, 'STAKE_TOO_LARGE', p_stake > p_max_stake, jsonb_build_object('field', 'stake', 'maximum', p_max_stake)),
            (12, 'PAYOUT_TOO_LARGE', p_stake > s.paying, jsonb_build_object('field', 'stake', 'maximum', s.paying)),
            (13, 'INSUFFICIENT_CREDITS', s.balance < p_stake, jsonb_build_object('field', 'stake', 'available', s.balance)),
            (14, s.code, s.code IS NOT NULL, NULL)
          ) AS r (rank, code, applies, details) WHERE r.applies
          UNION ALL
          SELECT array_position(ARRAY['MARKET_NOT_FOUND', 'GAME_NOT_IN_WEEK', 'MARKET_NOT_OPEN', 'GAME_STARTED', 'OUTCOME_UNKNOWN'],
                                l.refusal) + 2, l.n, l.refusal, l.which || CASE l.refusal
                   WHEN 'MARKET_NOT_FOUND' THEN jsonb_build_object('marketId', l.market_id)
                   WHEN 'MARKET_NOT_OPEN' THEN jsonb_build_object('status', l.market_status)
                   WHEN 'OUTCOME_UNKNOWN' THEN jsonb_build_object('field', 'outcome')
                   ELSE jsonb_build_object('startsAt', l.starts_at) END
          FROM leg l WHERE l.refusal IS NOT NULL
          UNION ALL
          SELECT 8, min(l.n), 'PARLAY_SAME_GAME', jsonb_build_object('gameId', l.game_id, 'legs', jsonb_agg(l.n ORDER BY l.n))
          FROM leg l WHERE l.game_id IS NOT NULL GROUP BY l.game_id HAVING count(*) > 1
          UNION ALL
          -- The fullest market's leg is told, so that the maximum is one for all.
          (SELECT 11, l.n, 'ABOVE_MARKET_MAX', l.which || jsonb_build_object('field', 'stake', 'maximum', l.room)
           FROM leg l WHERE p_stake > l.room ORDER BY l.room, l.n LIMIT 1)
          UNION ALL
          SELECT 15, l.n, 'ODDS_UNKNOWN', l.which || jsonb_build_object('field', 'oddsId')
          FROM leg l WHERE l.odds_refusal = 'ODDS_UNKNOWN'
          UNION ALL
          -- All that have changed at once, so that they are looked at once.
          SELECT 16, 0, 'ODDS_CHANGED', CASE WHEN v_single THEN jsonb_build_object('current', (jsonb_agg(l.price))->0)
                   ELSE jsonb_build_object('legs', jsonb_agg(l.which || jsonb_build_object('current', l.price) ORDER BY l.n)) END
          FROM leg l WHERE l.odds_refusal = 'ODDS_CHANGED' HAVING count(*) > 0)
        SELECT v_at, s.pool_id, s.balance, s.num, s.den, s.room, s.paying,
               (SELECT jsonb_agg(jsonb_build_object('leg', l.n, 'marketId', l.market_id, 'gameId', l.game_id, 'outcome', l.outcome,
                  'odds', CASE WHEN l.odds_id IS NOT NULL THEN l.price END, 'num', l.price_num::text, 'den', l.price_den::text,
                  'changed', l.moved) ORDER BY l.n) FROM leg l),
               (SELECT coalesce(jsonb_agg(jsonb_build_object('code', f.code, 'details', coalesce(f.details, '{}')) ORDER BY f.rank, f.n), '[]')
                FROM found f)
        FROM slip s;
      END $$;

      -- Places one parlay in one round trip, with the locks of place_bets in its order: the member's row, then the gates of the week,
      -- the user and the games, these by their ids, as who shuts several does; then it looks.
      CREATE FUNCTION place_parlay(
        p_user uuid, p_key text, p_body_hash bytea, p_week int, p_markets uuid[], p_outcomes text[], p_odds uuid[], p_stake bigint,
        p_accept text, p_min_stake bigint, p_max_stake bigint, p_max_payout bigint, p_minimum_age int
      ) RETURNS TABLE (refusal text, details jsonb, answer jsonb) LANGUAGE plpgsql VOLATILE
      ${BY_KEYS} AS $$
      DECLARE
        s record;
        v_hash bytea;
        v_bet bigint;
        v_payout bigint;
      BEGIN
        PERFORM FROM week_entries e JOIN pool_members m ON m.pool_id = e.pool_id AND m.user_id = e.user_id
        WHERE e.week_id = p_week AND e.user_id = p_user FOR NO KEY UPDATE OF m;
        PERFORM parley_gate_enter(w.gate), parley_gate_enter(p_user) FROM weeks w WHERE w.id = p_week;
        PERFORM parley_gate_enter(g.game_id) FROM (
          SELECT DISTINCT mk.game_id FROM markets mk WHERE mk.id = ANY (p_markets) ORDER BY mk.game_id) g;

        SELECT k.body_hash, k.response || '{"replayed": true}' INTO v_hash, answer FROM idempotency_keys k
        WHERE k.user_id = p_user AND k.operation = 'bets.place' AND k.key = p_key;
        IF FOUND THEN
          IF v_hash <> p_body_hash THEN
            refusal := 'IDEMPOTENCY_KEY_REUSED';
            answer := NULL;
          END IF;
          RETURN NEXT;
          RETURN;
        END IF;

        SELECT * INTO s FROM bets_look(p_user, p_week, p_markets, p_outcomes, p_odds, p_stake, p_accept, p_min_stake, p_max_stake,
                                       p_max_payout, p_minimum_age);
        IF s.refusals <> '[]' THEN
          refusal := s.refusals->0->>'code';
          details := s.refusals->0->'details';
          RETURN NEXT;
          RETURN;
        END IF;

        v_bet := nextval('bet_id_seq');
        v_payout := div(p_stake * s.num, s.den);
        UPDATE pool_members m
        SET balance = m.balance - p_stake, staked = m.staked + p_stake, bets_placed = m.bets_placed + 1, bets_open = m.bets_open + 1
        WHERE m.pool_id = s.pool_id AND m.user_id = p_user;
        INSERT INTO bets (id, week_id, pool_id, user_id, legs, stake, potential_payout, placed_at)
        VALUES (v_bet, p_week, s.pool_id, p_user, cardinality(p_markets), p_stake, v_payout, s.at);
        INSERT INTO bet_legs (bet_id, week_id, pool_id, number, game_id, market_id, odds_id, outcome, american, price_num, price_den)
        SELECT v_bet, p_week, s.pool_id, (l->>'leg')::smallint, (l->>'gameId')::uuid, (l->>'marketId')::uuid, (l->'odds'->>'oddsId')::uuid,
               l->>'outcome', (l->'odds'->>'american')::int, (l->>'num')::bigint, (l->>'den')::bigint
        FROM jsonb_array_elements(s.legs) AS l;
        answer := jsonb_build_object(
          'betId', v_bet::text, 'status', 'placed', 'remainingCredits', s.balance - p_stake, 'potentialPayout', v_payout,
          'stake', p_stake, 'placedAt', s.at,
          -- The product, rounded half up to 4 places in whole numbers, which are exact.
          'decimal', round(div(20000 * s.num + s.den, 2 * s.den) * 0.0001, 4)::text,
          'legs', (SELECT jsonb_agg(l - '{leg,num,den,changed}'::text[] ORDER BY (l->>'leg')::int) FROM jsonb_array_elements(s.legs) AS l));
        INSERT INTO idempotency_keys AS k (user_id, operation, key, body_hash, status, response)
        VALUES (p_user, 'bets.place', p_key, p_body_hash, 201, answer) RETURNING k.response INTO answer;
        RETURN NEXT;
      END $$;

      -- pools' face in SQL: takes a member's stake back as if it had not been staked; so it repays what a correction could not take
      -- meanwhile first, as that would have found it. The caller holds the pool and the member's row.
      CREATE FUNCTION pools_unstake(p_pool uuid, p_user uuid, p_stake bigint) RETURNS void LANGUAGE sql VOLATILE AS $$
        UPDATE pool_members m
        SET balance = m.balance + p_stake - LEAST(m.debt, p_stake), debt = m.debt - LEAST(m.debt, p_stake),
            staked = m.staked - p_stake, bets_open = m.bets_open - 1
        WHERE m.pool_id = p_pool AND m.user_id = p_user
      $$;

      -- Takes a bet back for its user within so many seconds of its placing, before the first of its games starts, while every leg's
      -- market is open at the very price of the bet (else a bet would be a free look at where the price goes), so many times in a week.
      -- A suspension waits for the gates; a price may still move until this commits, as it may just afterwards. The pool and the
      -- member's row are taken as graders take them, then the gates as a bet does: afterwards it is either graded, or its games have
      -- started, or neither can happen before this has committed. Answers why not; null: it is cancelled, now or before.
      CREATE FUNCTION bets_cancel(p_user uuid, p_bet bigint, p_week int, p_window_seconds int, p_most int, p_allowed boolean)
      RETURNS text LANGUAGE plpgsql VOLATILE
      ${BY_KEYS} AS $$
      DECLARE
        v_pool uuid;
        v_games uuid[];
        v_at timestamptz;
        b record;
      BEGIN
        SELECT x.pool_id, CASE WHEN x.legs = 1 THEN ARRAY[x.game_id]
                 ELSE ARRAY(SELECT l.game_id FROM bet_legs l WHERE l.bet_id = x.id AND l.week_id = p_week AND l.pool_id = x.pool_id) END
        INTO v_pool, v_games FROM bets x WHERE x.id = p_bet AND x.week_id = p_week AND x.user_id = p_user;
        PERFORM pools_lock(ARRAY[v_pool]);
        PERFORM FROM pool_members WHERE pool_id = v_pool AND user_id = p_user FOR NO KEY UPDATE;
        PERFORM parley_gate_enter(w.gate), parley_gate_enter(p_user) FROM weeks w WHERE w.id = p_week;
        PERFORM parley_gate_enter(id) FROM (SELECT DISTINCT id FROM unnest(v_games) AS id ORDER BY id) g;

        SELECT x.status, x.stake, x.placed_at, x.legs, x.market_id, x.outcome, x.odds_id INTO b FROM bets x WHERE x.id = p_bet AND x.week_id = p_week AND x.pool_id = v_pool;
        v_at := parley_now();
        IF b.status = 'cancelled' THEN RETURN NULL; END IF;
        IF b.status <> 'placed' THEN RETURN 'GRADED'; END IF;
        IF NOT p_allowed THEN RETURN 'POOL_RULES'; END IF;
        IF EXISTS (SELECT FROM games g WHERE g.id = ANY (v_games) AND (g.status <> 'scheduled' OR g.starts_at <= v_at)) THEN
          RETURN 'GAME_STARTED';
        END IF;
        IF v_at > b.placed_at + make_interval(secs => p_window_seconds) THEN RETURN 'WINDOW_OVER'; END IF;
        IF EXISTS (
          SELECT FROM (SELECT b.market_id, b.outcome, b.odds_id WHERE b.legs = 1
                       UNION ALL
                       SELECT l.market_id, l.outcome, l.odds_id FROM bet_legs l
                       WHERE l.bet_id = p_bet AND l.week_id = p_week AND l.pool_id = v_pool) t
          JOIN markets mk ON mk.id = t.market_id
          LEFT JOIN market_prices mp ON mp.market_id = t.market_id AND mp.outcome = t.outcome
          WHERE mk.status <> 'open' OR mp.odds_id IS DISTINCT FROM t.odds_id) THEN
          RETURN 'MARKET_MOVED';
        END IF;
        -- Under the member's row, so that no two are the last. Index: ix_bets_user_history.
        IF (SELECT count(*) FROM bets x WHERE x.user_id = p_user AND x.week_id = p_week AND x.status = 'cancelled') >= p_most THEN
          RETURN 'TOO_MANY';
        END IF;
        UPDATE bets x SET status = 'cancelled', reason = 'CANCELLED_BY_USER', settled_at = v_at
        WHERE x.id = p_bet AND x.week_id = p_week AND x.pool_id = v_pool;
        PERFORM pools_unstake(v_pool, p_user, b.stake);
        RETURN NULL;
      END $$;
    `);
  }

  /**
   * Refuses, before anything of it is undone, where there is what the schema before 40 and 41 cannot hold. What came after it is
   * unmade by then: running the migrations makes it again.
   */
  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DO $$
      BEGIN
        IF EXISTS (SELECT FROM bets WHERE legs > 1 OR status = 'cancelled')
           OR EXISTS (SELECT FROM markets WHERE kind NOT IN ('moneyline', 'spread', 'total')) THEN
          RAISE EXCEPTION 'parlays, cancelled bets or markets of new kinds are stored, which the schema before cannot hold: go forward instead'
            USING ERRCODE = 'object_not_in_prerequisite_state';
        END IF;
      END $$;
      DROP FUNCTION bets_cancel, pools_unstake, place_parlay, bets_look, place_bets, bets_staked_on;
      ${placeBets(BEFORE)}
    `);
  }
}
