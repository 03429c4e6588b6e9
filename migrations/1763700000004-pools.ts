import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Weeks, passes, the draw, members and their credits, tables and prizes. */
export class Pools1763700000004 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE weeks (
        id int PRIMARY KEY,                -- ISO week: 202514
        gate uuid NOT NULL,                -- shut when the week closes (parley_gate_enter)
        starts_at timestamptz NOT NULL,
        ends_at timestamptz NOT NULL,
        status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'grouped', 'closed', 'settled')),
        entries_count int,
        entries_hash text,                 -- SHA-256 of the sorted entries, published before the draw
        seed_hash text NOT NULL,           -- SHA-256 of the seed, published before the draw
        seed bytea NOT NULL CHECK (length(seed) = 32), -- told after the draw only
        fill text,
        max_size int,
        prize_rules jsonb,                 -- what the places win, as it was at the draw
        grouped_at timestamptz,
        closed_at timestamptz,
        settled_at timestamptz,
        CHECK (ends_at > starts_at)
      );
      CREATE INDEX ix_weeks_span ON weeks (starts_at, ends_at);

      CREATE TABLE week_passes (
        user_id uuid NOT NULL REFERENCES users,
        week_id int NOT NULL REFERENCES weeks,
        source text NOT NULL CHECK (source IN ('admin', 'payment', 'subscription')),
        granted_by uuid,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (user_id, week_id)
      );
      CREATE INDEX ix_week_passes_week ON week_passes (week_id, user_id);

      CREATE TABLE pools (
        id uuid PRIMARY KEY,
        week_id int NOT NULL REFERENCES weeks,
        number int NOT NULL,
        name text NOT NULL,
        size int NOT NULL,
        UNIQUE (week_id, number)
      );

      -- The list that was drawn, in the order of the draw. One entry a user and week is what makes one pool a week.
      CREATE TABLE week_entries (
        user_id uuid NOT NULL,
        week_id int NOT NULL,
        pool_id uuid NOT NULL,
        draw_position int NOT NULL,
        PRIMARY KEY (week_id, user_id)     -- also the order of the draw's proof
      );

      -- Credits. balance = start + adjustments - staked + paid_out + debt, always.
      CREATE TABLE pool_members (
        pool_id uuid NOT NULL,
        user_id uuid NOT NULL,
        week_id int NOT NULL,
        draw_position int NOT NULL,
        balance bigint NOT NULL,
        starting bigint NOT NULL,
        adjustments bigint NOT NULL DEFAULT 0,
        staked bigint NOT NULL DEFAULT 0,
        paid_out bigint NOT NULL DEFAULT 0,
        debt bigint NOT NULL DEFAULT 0,
        bets_placed int NOT NULL DEFAULT 0,
        bets_open int NOT NULL DEFAULT 0,
        PRIMARY KEY (pool_id, user_id),
        CONSTRAINT pool_members_not_negative CHECK (balance >= 0 AND debt >= 0),
        CONSTRAINT pool_members_conserved CHECK (balance - debt = starting + adjustments - staked + paid_out),
        CONSTRAINT pool_members_open_bets CHECK (bets_open BETWEEN 0 AND bets_placed)
      ) WITH (fillfactor = 60);            -- every bet and payout rewrites the row in its page (HOT)

      CREATE TABLE credit_adjustments (
        id uuid PRIMARY KEY,
        pool_id uuid NOT NULL,
        user_id uuid NOT NULL,
        week_id int NOT NULL,
        kind text NOT NULL CHECK (kind IN ('buy_back')),
        amount bigint NOT NULL CHECK (amount > 0),
        reference text NOT NULL,
        created_at timestamptz NOT NULL,
        UNIQUE (pool_id, user_id, kind, reference)
      );
      CREATE UNIQUE INDEX ux_credit_adjustments_buy_back ON credit_adjustments (pool_id, user_id) WHERE kind = 'buy_back';

      CREATE TABLE leaderboard_snapshots (
        week_id int NOT NULL,
        pool_id uuid NOT NULL,
        user_id uuid NOT NULL,
        rank int NOT NULL,
        credits bigint NOT NULL,
        staked bigint NOT NULL,
        paid_out bigint NOT NULL,
        bets_placed int NOT NULL,
        PRIMARY KEY (pool_id, user_id)
      );
      CREATE INDEX ix_leaderboard_snapshots_rank ON leaderboard_snapshots (pool_id, rank, user_id);

      -- One pot a pool and week: what it held, what was carried in, what goes on to the next week.
      CREATE TABLE prize_pots (
        pool_id uuid PRIMARY KEY,
        week_id int NOT NULL,
        currency text NOT NULL,
        amount bigint NOT NULL CHECK (amount >= 0),
        carried_in bigint NOT NULL CHECK (carried_in >= 0),
        carried_out bigint NOT NULL CHECK (carried_out >= 0)
      );
      CREATE INDEX ix_prize_pots_week ON prize_pots (week_id);

      CREATE TABLE prizes (
        pool_id uuid NOT NULL,
        user_id uuid NOT NULL,
        week_id int NOT NULL,
        places int[] NOT NULL,
        amount bigint NOT NULL CHECK (amount >= 0),
        currency text NOT NULL,
        status text NOT NULL DEFAULT 'awarded' CHECK (status IN ('awarded', 'paid')),
        created_at timestamptz NOT NULL,
        PRIMARY KEY (pool_id, user_id)
      );
      CREATE INDEX ix_prizes_user ON prizes (user_id, week_id);

      -- pools' face in SQL: pays graded bets into their members' rows. A later payout repays the member's debt first;
      -- what a reversal cannot take becomes debt. The caller holds the pools' rows (pools_lock), so that two graders
      -- never meet on a member; a bet being placed holds one member's row only and waits for none.
      CREATE FUNCTION pools_lock(p_pools uuid[]) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
      BEGIN
        PERFORM FROM pools WHERE id = ANY (p_pools) ORDER BY id FOR NO KEY UPDATE;
      END $$;

      CREATE FUNCTION pools_apply_payouts(p_pools uuid[], p_users uuid[], p_deltas bigint[], p_closed int[])
      RETURNS bigint LANGUAGE sql VOLATILE AS $$
        WITH due AS (SELECT * FROM unnest(p_pools, p_users, p_deltas, p_closed) AS d (pool_id, user_id, delta, closed)),
        paid AS (
          UPDATE pool_members m
          SET balance = m.balance + CASE WHEN d.delta >= 0 THEN d.delta - LEAST(m.debt, d.delta)
                                         ELSE -LEAST(m.balance, -d.delta) END,
              debt = m.debt + CASE WHEN d.delta >= 0 THEN -LEAST(m.debt, d.delta)
                                   ELSE -d.delta - LEAST(m.balance, -d.delta) END,
              paid_out = m.paid_out + d.delta,
              bets_open = m.bets_open - d.closed
          FROM due d WHERE m.pool_id = d.pool_id AND m.user_id = d.user_id
          RETURNING 1)
        SELECT count(*) FROM paid
      $$;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION pools_apply_payouts, pools_lock;
      DROP TABLE prizes, prize_pots, leaderboard_snapshots, credit_adjustments, pool_members, week_entries, pools,
        week_passes, weeks;
    `);
  }
}
