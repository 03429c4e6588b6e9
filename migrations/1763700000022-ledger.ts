import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The double-entry ledger: accounts, transfers, entries, holds, and what keeps them as they are. */
export class Ledger1763700000022 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      -- What kinds of accounts there are. An account's kind, and what follows from it, is held by a foreign key and not by
      -- a check: checks are read anew by every statement that changes a row, and balances change all the time.
      CREATE TABLE ledger_account_kinds (
        kind text COLLATE "C" PRIMARY KEY,
        may_go_below_zero boolean NOT NULL,
        normal_side text NOT NULL CHECK (normal_side IN ('debit', 'credit')), -- on which it grows in an accountant's books
        stripes smallint NOT NULL CHECK (stripes BETWEEN 1 AND 16),
        UNIQUE (kind, may_go_below_zero)
      );
      INSERT INTO ledger_account_kinds VALUES
        ('user_available', false, 'credit', 1),
        ('user_held', false, 'credit', 1),
        ('escrow', false, 'credit', 1),
        ('pot', false, 'credit', 1),
        ('carried_pot', false, 'credit', 1),
        ('fees', true, 'credit', 16),
        ('clearing', true, 'debit', 16),
        ('promotions', true, 'debit', 1),
        ('disputes', true, 'debit', 1);

      CREATE DOMAIN ledger_currency AS text COLLATE "C" CHECK (VALUE ~ '^[A-Z]{3}$');

      -- An account's balance is the sum of its entries. Amounts are minor units; what is added is positive.
      -- Accounts that everybody's money passes through are spread over several rows, their stripes.
      CREATE TABLE ledger_accounts (
        id uuid PRIMARY KEY,
        kind text COLLATE "C" NOT NULL,
        owner varchar(100) COLLATE "C" NOT NULL,
        currency ledger_currency NOT NULL,
        stripe smallint NOT NULL DEFAULT 0,
        balance bigint NOT NULL DEFAULT 0,
        last_entry bigint,                     -- the id of its newest entry
        may_go_below_zero boolean NOT NULL,    -- as its kind says
        created_at timestamptz NOT NULL,
        CONSTRAINT ux_ledger_accounts UNIQUE (kind, owner, currency, stripe),
        CONSTRAINT ledger_accounts_kind FOREIGN KEY (kind, may_go_below_zero)
          REFERENCES ledger_account_kinds (kind, may_go_below_zero),
        CONSTRAINT ledger_accounts_not_negative CHECK (may_go_below_zero OR balance >= 0)
      ) WITH (fillfactor = 50); -- the new version of a row finds room in its page
      ALTER TABLE ledger_accounts SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

      CREATE TABLE ledger_transfers (
        id uuid PRIMARY KEY,                   -- UUIDv7 of the database's own clock
        reference varchar(200) COLLATE "C" NOT NULL CONSTRAINT ux_ledger_transfers_reference UNIQUE,
        input_hash bytea NOT NULL,             -- of what it moved, to tell a repetition from a mistake
        type varchar(40) COLLATE "C" NOT NULL,
        effective_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL,
        metadata jsonb NOT NULL DEFAULT '{}',  -- ids and figures, nothing personal
        reverses uuid CONSTRAINT ux_ledger_transfers_reverses UNIQUE REFERENCES ledger_transfers,
        hold_id uuid,                          -- of a hold, its captures and its release
        requested_by uuid
      );

      CREATE SEQUENCE ledger_entry_id_seq;

      -- One row for each account that a transfer touches. Entries of one account have rising ids, each with the balance
      -- after it. Partitioned by the month in which the transfer's id was made, so that the primary key holds over all
      -- partitions and a transfer's entries are found in one. The last leg of a transfer says so: see below.
      CREATE TABLE ledger_entries (
        id bigint NOT NULL,
        transfer_id uuid NOT NULL,
        leg smallint NOT NULL,
        account_id uuid NOT NULL,
        currency text COLLATE "C" NOT NULL,
        amount bigint NOT NULL CHECK (amount <> 0),
        balance_after bigint NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (transfer_id, leg)
      ) PARTITION BY RANGE (transfer_id);
      CREATE INDEX ix_ledger_entries_account ON ledger_entries (account_id, created_at, id); -- statements, past balances

      CREATE TABLE ledger_holds (
        id uuid PRIMARY KEY,
        reference varchar(200) COLLATE "C" NOT NULL CONSTRAINT ux_ledger_holds_reference UNIQUE,
        user_id uuid NOT NULL,
        currency text COLLATE "C" NOT NULL,
        amount bigint NOT NULL CHECK (amount > 0),
        captured bigint NOT NULL DEFAULT 0 CHECK (captured >= 0),
        released bigint NOT NULL DEFAULT 0 CHECK (released >= 0),
        status text COLLATE "C" NOT NULL DEFAULT 'held' CHECK (status IN ('held', 'captured', 'released', 'expired')),
        purpose varchar(40) NOT NULL,
        transfer_id uuid NOT NULL REFERENCES ledger_transfers,
        metadata jsonb NOT NULL DEFAULT '{}',
        expires_at timestamptz,
        created_at timestamptz NOT NULL,
        closed_at timestamptz,
        CONSTRAINT ledger_holds_conserved CHECK (captured + released <= amount),
        CONSTRAINT ledger_holds_closed CHECK (
          (status = 'held') = (captured + released < amount) AND (status = 'held') = (closed_at IS NULL))
      );
      CREATE INDEX ix_ledger_holds_user ON ledger_holds (user_id, id);
      CREATE INDEX ix_ledger_holds_due ON ledger_holds (expires_at) WHERE status = 'held' AND expires_at IS NOT NULL;

      -- A new UUIDv7, and the smallest one of a moment.
      CREATE FUNCTION ledger_new_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$
        SELECT encode(set_byte(overlay(uuid_send(gen_random_uuid()) PLACING
          substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
          6, 112 | floor(random() * 16)::int), 'hex')::uuid
      $$;
      CREATE FUNCTION ledger_id_at(p_at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
        SELECT (lpad(to_hex(floor(extract(epoch FROM p_at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
      $$;

      -- Makes the partitions of this month and of p_ahead more; how many were missing. Each is built apart and attached,
      -- so that transfers go on meanwhile, and is append-only for whoever addresses it by its own name too.
      CREATE FUNCTION ledger_open_months(p_ahead int) RETURNS int LANGUAGE plpgsql VOLATILE AS $$
      DECLARE
        v_month timestamp; -- UTC
        v_name text;
        v_made int := 0;
      BEGIN
        PERFORM pg_advisory_xact_lock(4242, 22);
        FOR v_month IN
          SELECT date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC') + make_interval(months => n)
          FROM generate_series(0, p_ahead) AS n
        LOOP
          v_name := 'ledger_entries_' || to_char(v_month, 'YYYYMM');
          CONTINUE WHEN to_regclass(v_name) IS NOT NULL;
          EXECUTE format('CREATE TABLE %I (LIKE ledger_entries INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', v_name);
          EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
                          FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', v_name);
          EXECUTE format('ALTER TABLE ledger_entries ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', v_name,
                         ledger_id_at(v_month AT TIME ZONE 'UTC'),
                         ledger_id_at((v_month + interval '1 month') AT TIME ZONE 'UTC'));
          v_made := v_made + 1;
        END LOOP;
        RETURN v_made;
      END $$;

      -- At commit: the transfer of an entry is there, and its entries sum to zero in each currency.
      CREATE FUNCTION ledger_check_transfer() RETURNS trigger LANGUAGE plpgsql
      SET enable_seqscan = off SET enable_bitmapscan = off AS $$
      BEGIN
        IF NOT EXISTS (SELECT FROM ledger_transfers WHERE id = NEW.transfer_id)
           OR EXISTS (SELECT FROM ledger_entries WHERE transfer_id = NEW.transfer_id
                      GROUP BY currency HAVING sum(amount) <> 0) THEN
          RAISE EXCEPTION 'the entries of transfer % do not sum to zero, or it is not there', NEW.transfer_id
            USING ERRCODE = '23514', CONSTRAINT = 'ledger_entries_balanced';
        END IF;
        RETURN NULL;
      END $$;
      CREATE CONSTRAINT TRIGGER ledger_entries_balanced AFTER INSERT ON ledger_entries
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_check_transfer();

      CREATE TRIGGER ledger_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
      CREATE TRIGGER ledger_transfers_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transfers
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
      -- Of an account only the balance changes, of a hold what became of it.
      CREATE TRIGGER ledger_accounts_kept BEFORE DELETE OR TRUNCATE OR
        UPDATE OF id, kind, owner, currency, stripe, may_go_below_zero, created_at ON ledger_accounts
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
      CREATE TRIGGER ledger_holds_kept BEFORE DELETE OR TRUNCATE OR
        UPDATE OF id, reference, user_id, currency, amount, purpose, transfer_id, metadata, expires_at, created_at ON ledger_holds
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

      SELECT ledger_open_months(3);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TABLE ledger_holds, ledger_entries, ledger_transfers, ledger_accounts, ledger_account_kinds;
      DROP DOMAIN ledger_currency;
      DROP SEQUENCE ledger_entry_id_seq;
      DROP FUNCTION ledger_check_transfer, ledger_open_months, ledger_id_at, ledger_new_id;
    `);
  }
}
