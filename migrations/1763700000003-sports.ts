import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Games, their markets, and prices that never change. */
export class Sports1763700000003 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE games (
        id uuid PRIMARY KEY,
        source text NOT NULL,
        external_id text NOT NULL,
        sport text NOT NULL,
        league text NOT NULL,
        season text NOT NULL,
        home_team text NOT NULL,
        away_team text NOT NULL,
        neutral boolean NOT NULL DEFAULT false,
        starts_at timestamptz NOT NULL,
        first_starts_at timestamptz NOT NULL,
        source_starts_at timestamptz,      -- as its source said last; an operator may know better
        status text NOT NULL DEFAULT 'scheduled'
          CHECK (status IN ('scheduled', 'in_progress', 'final', 'postponed', 'cancelled', 'abandoned')),
        home_score int CHECK (home_score >= 0),
        away_score int CHECK (away_score >= 0),
        minutes_played int CHECK (minutes_played >= 0),
        result_version int NOT NULL DEFAULT 0,
        updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        CHECK (status <> 'final' OR (home_score IS NOT NULL AND away_score IS NOT NULL)),
        CONSTRAINT ux_games_external UNIQUE (source, external_id)
      );
      CREATE INDEX ix_games_slate ON games (starts_at, id);
      CREATE INDEX ix_games_sport_slate ON games (sport, starts_at, id);

      CREATE TABLE markets (
        id uuid PRIMARY KEY,
        game_id uuid NOT NULL REFERENCES games,
        kind text NOT NULL CHECK (kind IN ('moneyline', 'spread', 'total')),
        line numeric(6, 2),
        status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'suspended', 'closed', 'settled', 'voided')),
        suspended_by text CHECK (suspended_by IN ('operator', 'line_moved')),
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        CHECK ((kind = 'moneyline') = (line IS NULL)),
        CHECK (suspended_by IS NULL OR status = 'suspended'),
        -- A moved line is a new market.
        CONSTRAINT ux_markets_game_kind_line UNIQUE NULLS NOT DISTINCT (game_id, kind, line)
      );

      -- A price never changes: a new price is a new row. price_num / price_den is the exact return on one unit,
      -- stake included: +120 is 11/5, -140 is 12/7, decimal 2.06 is 103/50.
      CREATE TABLE odds (
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
      CREATE INDEX ix_odds_market_history ON odds (market_id, outcome, id);
      CREATE TRIGGER odds_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON odds
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

      -- The price that is current, one row an outcome.
      CREATE TABLE market_prices (
        market_id uuid NOT NULL REFERENCES markets,
        outcome text NOT NULL,
        odds_id uuid NOT NULL REFERENCES odds,
        american int,
        decimal numeric(12, 6),
        price_num bigint NOT NULL,
        price_den bigint NOT NULL,
        PRIMARY KEY (market_id, outcome)
      ) WITH (fillfactor = 80);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE market_prices, odds, markets, games');
  }
}
