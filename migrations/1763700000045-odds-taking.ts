import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The one writer of prices, and the history of a market in the order in which its prices came. */
export class OddsTaking1763700000045 implements MigrationInterface {
  name = 'OddsTaking1763700000045';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      -- By the time they were taken at, under the head's lock, and not by their ids, which come from several processes.
      DROP INDEX ix_odds_market_history;
      CREATE INDEX ix_odds_market_history ON odds (market_id, outcome, created_at, id);

      -- The outcomes of a prop and, after them, those of another list that are not among them.
      CREATE FUNCTION outcomes_joined(p_held jsonb, p_told jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
        SELECT p_held || coalesce((
          SELECT jsonb_agg(t.named ORDER BY t.n) FROM jsonb_array_elements(p_told) WITH ORDINALITY AS t (named, n)
          WHERE NOT p_held @> jsonb_build_array(jsonb_build_object('key', t.named -> 'key'))), '[]')
      $$;

      -- Which outcomes a market has is news as well.
      DROP TRIGGER markets_changed_later ON markets;
      CREATE TRIGGER markets_changed_later BEFORE UPDATE ON markets FOR EACH ROW
        WHEN (OLD.status IS DISTINCT FROM NEW.status OR OLD.max_stake IS DISTINCT FROM NEW.max_stake
          OR OLD.outcomes IS DISTINCT FROM NEW.outcomes)
        EXECUTE FUNCTION markets_count_change();

      -- Takes what a feed or an operator says of prices, one entry an outcome, and answers which of them (by their place, from
      -- 1) changed something, with the number among their game's changes. Only changes are stored: a row of odds, and the
      -- current price moved to it. Of several entries for one outcome the last counts; an entry whose market is of another
      -- game is none. A game that has started or is not scheduled takes no further price, but an outcome without any gets its
      -- first one even then, if its market has such an outcome: on any other a bet could never be graded. The games in p_fresh are told to be as their feed says just now.
      --
      -- It takes the heads of its games, in the order of their ids, and nothing before them: whoever changes a game's state
      -- takes its head as well, so what is looked at after them holds until the commit, and numbers are seen in order. All
      -- changes of a game in one call have one number.
      --
      -- The settings hold the plan to primary keys whatever the statistics say, as in place_bets.
      CREATE FUNCTION odds_take(
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
          WHERE (p.odds_id IS NULL AND CASE m.kind
                   WHEN 'prop' THEN m.outcomes @> jsonb_build_array(jsonb_build_object('key', a.outcome))
                   WHEN 'three_way' THEN a.outcome IN ('home', 'draw', 'away')
                   WHEN 'total' THEN a.outcome IN ('over', 'under')
                   ELSE a.outcome IN ('home', 'away') END)
             OR (p.odds_id IS NOT NULL AND (p.american, p.decimal) IS DISTINCT FROM (a.american, a.decimal)
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
      END $$;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION odds_take;
      DROP TRIGGER markets_changed_later ON markets;
      CREATE TRIGGER markets_changed_later BEFORE UPDATE ON markets FOR EACH ROW
        WHEN (OLD.status IS DISTINCT FROM NEW.status OR OLD.max_stake IS DISTINCT FROM NEW.max_stake)
        EXECUTE FUNCTION markets_count_change();
      DROP FUNCTION outcomes_joined;
      DROP INDEX ix_odds_market_history;
      CREATE INDEX ix_odds_market_history ON odds (market_id, outcome, id);
    `);
  }
}
