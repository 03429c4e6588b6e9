import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Bets of several legs, bets that were taken back, limits on users, and what two people must decide. */
export class Parlays1763700000041 implements MigrationInterface {
  name = 'Parlays1763700000041';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE bets
        DROP CONSTRAINT bets_status_check,
        DROP CONSTRAINT bets_check,
        DROP CONSTRAINT bets_check1,
        ALTER COLUMN game_id DROP NOT NULL,
        ALTER COLUMN market_id DROP NOT NULL,
        ALTER COLUMN odds_id DROP NOT NULL,
        ALTER COLUMN outcome DROP NOT NULL,
        ALTER COLUMN price_num DROP NOT NULL,
        ALTER COLUMN price_den DROP NOT NULL,
        ADD COLUMN legs smallint NOT NULL DEFAULT 1 CHECK (legs BETWEEN 1 AND 12),
        ADD CONSTRAINT bets_status_check CHECK (status IN
          ('placed', 'won', 'lost', 'push', 'void', 'half_won', 'half_lost', 'cancelled')),
        -- One that its user has taken back has no payout: its stake was given back as if it had not been placed.
        ADD CONSTRAINT bets_payout_state_check CHECK ((status IN ('placed', 'cancelled')) = (payout IS NULL)),
        ADD CONSTRAINT bets_settlement_state_check CHECK ((status IN ('placed', 'cancelled')) = (settlement_id IS NULL)),
        -- What a parlay is on stands in its legs.
        ADD CONSTRAINT bets_legs_what_check CHECK (
          num_nonnulls(game_id, market_id, odds_id, outcome, price_num, price_den) = CASE WHEN legs = 1 THEN 6 ELSE 0 END);

      CREATE TABLE bet_legs (
        bet_id bigint NOT NULL,
        week_id int NOT NULL,
        pool_id uuid NOT NULL,
        number smallint NOT NULL CHECK (number BETWEEN 1 AND 12),
        game_id uuid NOT NULL,
        market_id uuid NOT NULL,
        odds_id uuid NOT NULL,
        outcome text NOT NULL,
        american int,
        price_num bigint NOT NULL,
        price_den bigint NOT NULL,
        status text NOT NULL DEFAULT 'placed'
          CHECK (status IN ('placed', 'won', 'lost', 'push', 'void', 'half_won', 'half_lost')),
        -- What the leg makes of one unit that comes to it, exactly: v + (1 − v)·w·h·d.
        factor_num bigint,
        factor_den bigint CHECK (factor_den > 0),
        reason text,
        settlement_id uuid,
        CHECK ((status = 'placed') = (factor_num IS NULL)),
        CHECK ((factor_num IS NULL) = (factor_den IS NULL)),
        PRIMARY KEY (bet_id, number, pool_id, week_id)
      ) PARTITION BY LIST (week_id);
      CREATE INDEX ix_bet_legs_grading ON bet_legs (market_id, pool_id, week_id);

      CREATE OR REPLACE FUNCTION bets_open_week(p_week int) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
      DECLARE
        v_table text;
        v_name text;
      BEGIN
        PERFORM pg_advisory_xact_lock(4242, p_week);
        FOREACH v_table IN ARRAY ARRAY['bets', 'bet_legs'] LOOP
          v_name := v_table || '_' || p_week;
          CONTINUE WHEN to_regclass(v_name) IS NOT NULL;
          EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS) WITH (fillfactor = 85)', v_name, v_table);
          EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES IN (%s)', v_table, v_name, p_week);
        END LOOP;
      END $$;
      -- The weeks that there are already.
      SELECT bets_open_week(substring(inhrelid::regclass::text FROM '\\d+$')::int)
      FROM pg_inherits WHERE inhparent = 'bets'::regclass;

      -- What one user may have staked on one market at most, in credits, by an operator's word. Raising and lowering are audited.
      CREATE TABLE user_stake_limits (
        user_id uuid PRIMARY KEY REFERENCES users,
        max_stake bigint NOT NULL CHECK (max_stake >= 0),
        updated_at timestamptz NOT NULL
      );

      -- An exact product: numeric multiplies whole numbers without rounding.
      CREATE AGGREGATE product(numeric) (sfunc = numeric_mul, stype = numeric, initcond = '1', parallel = safe);
    `);
  }

  /** Only where no parlay was placed and no bet taken back, which 42 sees to. */
  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP AGGREGATE product(numeric);
      DROP TABLE user_stake_limits, bet_legs;
      CREATE OR REPLACE FUNCTION bets_open_week(p_week int) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
      DECLARE
        v_name text := 'bets_' || p_week;
      BEGIN
        PERFORM pg_advisory_xact_lock(4242, p_week);
        IF to_regclass(v_name) IS NOT NULL THEN RETURN; END IF;
        EXECUTE format('CREATE TABLE %I (LIKE bets INCLUDING DEFAULTS INCLUDING CONSTRAINTS) WITH (fillfactor = 85)', v_name);
        EXECUTE format('ALTER TABLE bets ATTACH PARTITION %I FOR VALUES IN (%s)', v_name, p_week);
      END $$;
      ALTER TABLE bets
        DROP CONSTRAINT bets_legs_what_check,
        DROP CONSTRAINT bets_settlement_state_check,
        DROP CONSTRAINT bets_payout_state_check,
        DROP CONSTRAINT bets_status_check,
        DROP COLUMN legs,
        ALTER COLUMN game_id SET NOT NULL,
        ALTER COLUMN market_id SET NOT NULL,
        ALTER COLUMN odds_id SET NOT NULL,
        ALTER COLUMN outcome SET NOT NULL,
        ALTER COLUMN price_num SET NOT NULL,
        ALTER COLUMN price_den SET NOT NULL,
        ADD CONSTRAINT bets_status_check CHECK (status IN ('placed', 'won', 'lost', 'push', 'void', 'half_won', 'half_lost')),
        ADD CONSTRAINT bets_check CHECK ((status = 'placed') = (payout IS NULL)),
        ADD CONSTRAINT bets_check1 CHECK ((status = 'placed') = (settlement_id IS NULL));
    `);
  }
}
