import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Users' limits of money, what counts towards them, and what their activity statements are made of. */
export class Limits1763700000034 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE user_limits (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users,
        kind text COLLATE "C" NOT NULL CHECK (kind IN ('deposit', 'stake', 'loss')),
        period text COLLATE "C" NOT NULL CHECK (period IN ('day', 'week', 'month')),
        currency text COLLATE "C" NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
        status text COLLATE "C" NOT NULL CHECK (status IN ('unset', 'active', 'raising', 'removing')),
        amount bigint CHECK (amount >= 0),      -- in force, minor units
        requested_amount bigint,                -- what it is to be raised to
        requested_at timestamptz,
        wait_hours int CHECK (wait_hours > 0),  -- as the place said when it was asked
        changed_at timestamptz NOT NULL,
        CONSTRAINT ux_user_limits UNIQUE (user_id, currency, kind, period),
        CHECK ((status = 'unset') = (amount IS NULL)),
        CHECK ((status = 'raising') = (requested_amount IS NOT NULL)),
        CHECK ((status IN ('raising', 'removing')) = (requested_at IS NOT NULL)),
        CHECK ((requested_at IS NULL) = (wait_hours IS NULL)),
        CHECK (requested_amount > amount)
      );

      -- Which limit was in force when, and what was asked for.
      CREATE TABLE limit_changes (
        id uuid PRIMARY KEY,
        limit_id uuid NOT NULL REFERENCES user_limits,
        user_id uuid NOT NULL REFERENCES users,
        event text COLLATE "C" NOT NULL,
        amount bigint,                          -- in force from then on; null: none
        requested_amount bigint,
        at timestamptz NOT NULL
      );
      CREATE INDEX ix_limit_changes_limit ON limit_changes (limit_id, at);
      CREATE INDEX ix_limit_changes_user ON limit_changes (user_id, at);
      CREATE TRIGGER limit_changes_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON limit_changes
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

      -- Money that was let through: open (it may come), counted (it came), released (it did not, or went back at once).
      CREATE TABLE limit_bookings (
        reference varchar(200) COLLATE "C" PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users,
        currency text COLLATE "C" NOT NULL,
        amount bigint NOT NULL CHECK (amount > 0),
        pays_in boolean NOT NULL,               -- counts as a deposit
        stakes boolean NOT NULL,                -- counts as a stake, and may be lost
        status text COLLATE "C" NOT NULL CHECK (status IN ('open', 'counted', 'released')),
        at_risk bigint NOT NULL DEFAULT 0,      -- of a stake that was counted: what is not decided yet
        given_back bigint NOT NULL DEFAULT 0,
        booked_at timestamptz NOT NULL,
        counted_at timestamptz,
        CHECK (pays_in OR stakes),
        CHECK ((status = 'counted') = (counted_at IS NOT NULL)),
        CHECK (at_risk BETWEEN 0 AND amount AND (at_risk = 0 OR (stakes AND status = 'counted'))),
        CHECK (given_back BETWEEN 0 AND amount AND (given_back = 0 OR status = 'counted'))
      );
      CREATE INDEX ix_limit_bookings_live ON limit_bookings (user_id, currency) WHERE status = 'open' OR at_risk > 0;
      CREATE INDEX ix_limit_bookings_user ON limit_bookings (user_id, booked_at);

      -- What counts towards limits, from when on. What is given back stands at the time of what it takes back.
      CREATE TABLE limit_entries (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users,
        currency text COLLATE "C" NOT NULL,
        kind text COLLATE "C" NOT NULL CHECK (kind IN ('deposit', 'stake', 'loss')),
        amount bigint NOT NULL CHECK (amount <> 0),
        at timestamptz NOT NULL,
        reference varchar(200) COLLATE "C" NOT NULL, -- of the booking, or of the transfer that paid
        cause varchar(100) COLLATE "C" NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT ux_limit_entries UNIQUE (reference, kind, cause)
      );
      CREATE INDEX ix_limit_entries_window ON limit_entries (user_id, currency, kind, at) INCLUDE (amount);
      CREATE TRIGGER limit_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON limit_entries
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

      -- Where the payer was: renewals, which come from a provider, go by the rules of that place. US, or US-NY.
      ALTER TABLE payments ADD place varchar(6) CHECK (place ~ '^[A-Z]{2}(-[A-Z0-9]{1,3})?$');

      -- By who pays, and by what is paid back.
      CREATE INDEX ix_ledger_transfers_payer ON ledger_transfers (requested_by, created_at)
        WHERE type IN ('deposit', 'week_pass', 'subscription', 'buy_back');
      CREATE INDEX ix_ledger_transfers_paid_back ON ledger_transfers ((metadata ->> 'paymentId'))
        WHERE type IN ('refund', 'dispute_withdrawn', 'dispute_reinstated');
    `);
    await queryRunner.query(`
      -- What a user paid in, got back, won and took out, by month (UTC) and currency. Payments, by their purpose, and what went
      -- back of them (refunded_deposit, refunded_purchase; disputes too) are what passed a provider's clearing; prizes and
      -- withdrawals are what moved on the user's own accounts. What was reversed counts against it in its own month. Indexes:
      -- ix_ledger_transfers_payer, ix_ledger_transfers_paid_back, ix_ledger_entries_account, primary keys.
      CREATE FUNCTION ledger_activity(p_user uuid)
      RETURNS TABLE (month date, currency text, what text, amount bigint) LANGUAGE sql STABLE
      SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
        WITH paid AS MATERIALIZED (
          SELECT t.id, t.type, t.created_at, t.metadata ->> 'paymentId' AS payment FROM ledger_transfers t
          WHERE t.requested_by = p_user AND t.type IN ('deposit', 'week_pass', 'subscription', 'buy_back')
        ),
        back AS MATERIALIZED (
          SELECT t.id, CASE p.type WHEN 'deposit' THEN 'refunded_deposit' ELSE 'refunded_purchase' END AS what, t.created_at
          FROM paid p CROSS JOIN LATERAL (
            SELECT t.id, t.created_at FROM ledger_transfers t
            WHERE t.metadata ->> 'paymentId' = p.payment
              AND t.type IN ('refund', 'dispute_withdrawn', 'dispute_reinstated') OFFSET 0) t
        ),
        own AS MATERIALIZED (
          SELECT e.transfer_id, e.amount, e.created_at, a.kind, a.currency FROM ledger_accounts a
          JOIN ledger_entries e ON e.account_id = a.id
          WHERE a.kind IN ('user_available', 'user_held') AND a.owner = p_user::text
        ),
        moved AS (
          SELECT p.created_at, e.currency, p.type AS what, -e.amount AS amount
          FROM paid p JOIN ledger_entries e ON e.transfer_id = p.id
          JOIN ledger_accounts a ON a.id = e.account_id AND a.kind = 'clearing'
          UNION ALL
          SELECT t.created_at, e.currency, t.what, e.amount
          FROM (SELECT * FROM back
                UNION ALL
                SELECT r.id, b.what, r.created_at FROM back b JOIN ledger_transfers r ON r.reverses = b.id) t
          JOIN ledger_entries e ON e.transfer_id = t.id
          JOIN ledger_accounts a ON a.id = e.account_id AND a.kind = 'clearing'
          UNION ALL
          SELECT o.created_at, o.currency, 'prize', o.amount
          FROM own o JOIN ledger_transfers t ON t.id = o.transfer_id LEFT JOIN ledger_transfers r ON r.id = t.reverses
          WHERE o.kind = 'user_available' AND coalesce(r.type, t.type) = 'prize'
          UNION ALL
          SELECT o.created_at, o.currency, 'withdrawal', -o.amount
          FROM own o JOIN ledger_transfers t ON t.id = o.transfer_id LEFT JOIN ledger_transfers r ON r.id = t.reverses
          JOIN ledger_holds h ON h.id = coalesce(r.hold_id, t.hold_id) AND h.purpose = 'withdrawal'
          WHERE coalesce(r.type, t.type) = 'capture'
        )
        SELECT date_trunc('month', m.created_at AT TIME ZONE 'UTC')::date, m.currency, m.what, sum(m.amount)::bigint
        FROM moved m GROUP BY 1, 2, 3
      $$;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION ledger_activity;
      DROP INDEX ix_ledger_transfers_paid_back, ix_ledger_transfers_payer;
      ALTER TABLE payments DROP place;
      DROP TABLE limit_entries, limit_bookings, limit_changes, user_limits;
    `);
  }
}
