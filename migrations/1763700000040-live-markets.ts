import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Every market of the rules, prices by day, and what of a game has changed in which order. */
export class LiveMarkets1763700000040 implements MigrationInterface {
  name = 'LiveMarkets1763700000040';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE games
        DROP CONSTRAINT games_status_check,
        ADD CONSTRAINT games_status_check CHECK (status IN
          ('scheduled', 'in_progress', 'final', 'postponed', 'cancelled', 'abandoned', 'walkover')),
        ADD COLUMN periods jsonb,          -- scores by period, [[home, away], …]
        ADD COLUMN props jsonb,            -- winners by a prop's key, {"first_touchdown": ["kelce"]}
        ADD COLUMN confirmed_at timestamptz; -- when its result may be graded; null while it is to be confirmed

      -- What came in before is confirmed.
      UPDATE games SET confirmed_at = updated_at WHERE result_version > 0;

      ALTER TABLE markets
        DROP CONSTRAINT ux_markets_game_kind_line,
        DROP CONSTRAINT markets_kind_check,
        DROP CONSTRAINT markets_suspended_by_check,
        DROP CONSTRAINT markets_check,
        ADD COLUMN prop text,              -- the field of the result that decides it
        ADD COLUMN title text,
        ADD COLUMN outcomes jsonb,         -- of a prop: [{"key": "kelce", "label": "Travis Kelce"}, …]
        ADD COLUMN places smallint NOT NULL DEFAULT 1 CHECK (places BETWEEN 1 AND 100), -- winners that are expected
        ADD COLUMN max_stake bigint CHECK (max_stake >= 0), -- of one user on this market, in credits; null: no limit of its own
        ADD COLUMN seq bigint NOT NULL DEFAULT 1, -- what there is already has changed once
        ADD CONSTRAINT markets_kind_check CHECK (kind IN ('moneyline', 'three_way', 'spread', 'total', 'prop')),
        ADD CONSTRAINT markets_suspended_by_check CHECK (suspended_by IN ('operator', 'line_moved', 'feed_stale')),
        ADD CONSTRAINT markets_line_check CHECK ((kind IN ('spread', 'total')) = (line IS NOT NULL)),
        ADD CONSTRAINT markets_prop_check CHECK ((kind = 'prop') = (prop IS NOT NULL AND title IS NOT NULL AND outcomes IS NOT NULL)),
        ADD CONSTRAINT ux_markets_game_kind_prop_line UNIQUE NULLS NOT DISTINCT (game_id, kind, prop, line);
      ALTER TABLE markets ALTER COLUMN seq SET DEFAULT 0;

      -- The narrow row of each game that counts its changes: of prices, of its markets' states, of itself. What a client has
      -- seen up to a number it need not be told again. fresh_at is when its feed said its prices last, changed or not.
      CREATE TABLE game_heads (
        game_id uuid PRIMARY KEY REFERENCES games,
        seq bigint NOT NULL,
        fresh_at timestamptz
      ) WITH (fillfactor = 50);
      INSERT INTO game_heads (game_id, seq) SELECT id, 1 FROM games;

      -- Takes the next number of a game's changes; its head is locked until the transaction ends, so that numbers are seen in order.
      CREATE FUNCTION game_changed(p_game uuid) RETURNS bigint LANGUAGE sql VOLATILE AS $$
        INSERT INTO game_heads AS h (game_id, seq) VALUES (p_game, 1)
        ON CONFLICT (game_id) DO UPDATE SET seq = h.seq + 1 RETURNING seq
      $$;

      CREATE FUNCTION games_count_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM game_changed(NEW.id);
        RETURN NULL;
      END $$;
      CREATE TRIGGER games_changed AFTER INSERT ON games FOR EACH ROW EXECUTE FUNCTION games_count_change();
      CREATE TRIGGER games_changed_later AFTER UPDATE ON games FOR EACH ROW
        WHEN ((OLD.status, OLD.starts_at, OLD.home_score, OLD.away_score, OLD.periods, OLD.result_version, OLD.confirmed_at,
               OLD.home_team, OLD.away_team, OLD.neutral)
          IS DISTINCT FROM (NEW.status, NEW.starts_at, NEW.home_score, NEW.away_score, NEW.periods, NEW.result_version, NEW.confirmed_at,
                            NEW.home_team, NEW.away_team, NEW.neutral))
        EXECUTE FUNCTION games_count_change();

      CREATE FUNCTION markets_count_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        NEW.seq := game_changed(NEW.game_id);
        RETURN NEW;
      END $$;
      CREATE TRIGGER markets_changed BEFORE INSERT ON markets FOR EACH ROW EXECUTE FUNCTION markets_count_change();
      CREATE TRIGGER markets_changed_later BEFORE UPDATE ON markets FOR EACH ROW
        WHEN (OLD.status IS DISTINCT FROM NEW.status OR OLD.max_stake IS DISTINCT FROM NEW.max_stake)
        EXECUTE FUNCTION markets_count_change();

      -- Prices by day. The id of a price is a UUIDv7, so that its day is in it: one that is looked up by its id is in one
      -- partition, and nothing else is needed to find it.
      ALTER TABLE market_prices DROP CONSTRAINT market_prices_odds_id_fkey, ADD COLUMN seq bigint NOT NULL DEFAULT 1;
      ALTER TABLE market_prices ALTER COLUMN seq SET DEFAULT 0;
      ALTER TABLE odds RENAME TO odds_before;
      ALTER TABLE odds_before RENAME CONSTRAINT odds_pkey TO odds_before_pkey;
      ALTER INDEX ix_odds_market_history RENAME TO ix_odds_before;
      CREATE TABLE odds (
        id uuid NOT NULL,
        market_id uuid NOT NULL,
        outcome text NOT NULL,
        american int CHECK (abs(american) >= 100),
        decimal numeric(12, 6) CHECK (decimal > 1),
        price_num bigint NOT NULL,
        price_den bigint NOT NULL CHECK (price_den > 0),
        created_at timestamptz NOT NULL DEFAULT parley_now(),
        CHECK (price_num > price_den),
        CHECK (num_nonnulls(american, decimal) = 1),
        PRIMARY KEY (id)
      ) PARTITION BY RANGE (id);
      CREATE INDEX ix_odds_market_history ON odds (market_id, outcome, id);
      CREATE TRIGGER odds_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON odds
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
      -- What has no day of its own, of before or of a clock that is wrong: nothing is lost for want of a partition.
      CREATE TABLE odds_other PARTITION OF odds DEFAULT;
      CREATE TRIGGER odds_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON odds_other
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

      -- The least UUIDv7 of a day (UTC).
      CREATE FUNCTION uuid_of_day(p_day date) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT (lpad(to_hex((extract(epoch FROM p_day::timestamp) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
      $$;

      -- Makes the partitions of some days from one on; doing it twice does it once. A day whose prices lie in odds_other already
      -- stays there. A partition is built apart and attached, and waits for whoever reads the table no longer than that: prices that
      -- come meanwhile would wait behind it.
      CREATE FUNCTION odds_open_days(p_from date, p_days int) RETURNS int LANGUAGE plpgsql VOLATILE SET lock_timeout = '500ms' AS $$
      DECLARE
        v_day date;
        v_name text;
        v_made int := 0;
      BEGIN
        PERFORM pg_advisory_xact_lock(4243, 0);
        FOR v_day IN SELECT p_from + n FROM generate_series(0, p_days - 1) AS n LOOP
          v_name := 'odds_' || to_char(v_day, 'YYYYMMDD');
          CONTINUE WHEN to_regclass(v_name) IS NOT NULL;
          CONTINUE WHEN EXISTS (SELECT FROM odds_other WHERE id >= uuid_of_day(v_day) AND id < uuid_of_day(v_day + 1));
          EXECUTE format('CREATE TABLE %I (LIKE odds INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', v_name);
          EXECUTE format('ALTER TABLE odds ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', v_name, uuid_of_day(v_day), uuid_of_day(v_day + 1));
          EXECUTE format('CREATE TRIGGER odds_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
                          FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', v_name);
          v_made := v_made + 1;
        END LOOP;
        RETURN v_made;
      END $$;
      INSERT INTO odds SELECT id, market_id, outcome, american, decimal, price_num, price_den, created_at FROM odds_before;
      DROP TABLE odds_before;
      SELECT odds_open_days((now() AT TIME ZONE 'UTC')::date, 8);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE odds_before (
        id uuid PRIMARY KEY,
        market_id uuid NOT NULL REFERENCES markets,
        outcome text NOT NULL CHECK (outcome IN ('home', 'away', 'over', 'under')),
        american int CHECK (abs(american) >= 100),
        decimal numeric(12, 6) CHECK (decimal > 1),
        price_num bigint NOT NULL,
        price_den bigint NOT NULL CHECK (price_den > 0),
        created_at timestamptz NOT NULL DEFAULT parley_now(),
        CHECK (price_num > price_den),
        CHECK (num_nonnulls(american, decimal) = 1)
      );
      INSERT INTO odds_before SELECT id, market_id, outcome, american, decimal, price_num, price_den, created_at FROM odds;
      DROP FUNCTION odds_open_days, uuid_of_day;
      DROP TABLE odds;
      ALTER TABLE odds_before RENAME TO odds;
      ALTER TABLE odds RENAME CONSTRAINT odds_before_pkey TO odds_pkey;
      CREATE INDEX ix_odds_market_history ON odds (market_id, outcome, id);
      CREATE TRIGGER odds_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON odds
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
      ALTER TABLE market_prices DROP COLUMN seq, ADD CONSTRAINT market_prices_odds_id_fkey FOREIGN KEY (odds_id) REFERENCES odds;

      DROP TRIGGER markets_changed ON markets;
      DROP TRIGGER markets_changed_later ON markets;
      DROP TRIGGER games_changed ON games;
      DROP TRIGGER games_changed_later ON games;
      DROP FUNCTION markets_count_change, games_count_change, game_changed;
      DROP TABLE game_heads;
      ALTER TABLE markets
        DROP CONSTRAINT ux_markets_game_kind_prop_line,
        DROP CONSTRAINT markets_prop_check,
        DROP CONSTRAINT markets_line_check,
        DROP CONSTRAINT markets_suspended_by_check,
        DROP CONSTRAINT markets_kind_check,
        DROP COLUMN prop, DROP COLUMN title, DROP COLUMN outcomes, DROP COLUMN places, DROP COLUMN max_stake, DROP COLUMN seq,
        ADD CONSTRAINT markets_kind_check CHECK (kind IN ('moneyline', 'spread', 'total')),
        ADD CONSTRAINT markets_suspended_by_check CHECK (suspended_by IN ('operator', 'line_moved')),
        ADD CONSTRAINT markets_check CHECK ((kind = 'moneyline') = (line IS NULL)),
        ADD CONSTRAINT ux_markets_game_kind_line UNIQUE NULLS NOT DISTINCT (game_id, kind, line);
      ALTER TABLE games
        DROP COLUMN periods, DROP COLUMN props, DROP COLUMN confirmed_at,
        DROP CONSTRAINT games_status_check,
        ADD CONSTRAINT games_status_check CHECK (status IN
          ('scheduled', 'in_progress', 'final', 'postponed', 'cancelled', 'abandoned'));
    `);
  }
}
