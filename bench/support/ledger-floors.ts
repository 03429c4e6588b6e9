import type pg from 'pg';

export const ACCOUNTS = 1000;

/**
 * What our transfers are measured beside, in a schema of their own. `transfer` is the shape that pgledger publishes (MIT,
 * https://github.com/pgr0ss/pgledger, pgledger.sql): both accounts locked FOR UPDATE in order, both updated and checked, one
 * transfer, two entries with the balance before and after, with its tables, keys and indexes; the ids are UUIDs and the
 * arrays and views around it left out, which makes it faster than it is published. `bare` is the same rows without locks
 * and checks, as one statement.
 */
export async function makeFloors(db: pg.Pool, rows = 20_000): Promise<void> {
  await db.query(`
    CREATE SCHEMA floors;
    CREATE TABLE floors.accounts (
      id uuid PRIMARY KEY, name text NOT NULL, currency text NOT NULL, balance numeric NOT NULL DEFAULT 0,
      version bigint NOT NULL DEFAULT 0, allow_negative_balance boolean NOT NULL, allow_positive_balance boolean NOT NULL,
      metadata jsonb, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL);
    CREATE TABLE floors.transfers (
      id uuid PRIMARY KEY, from_account_id uuid NOT NULL REFERENCES floors.accounts,
      to_account_id uuid NOT NULL REFERENCES floors.accounts, amount numeric NOT NULL, created_at timestamptz NOT NULL,
      event_at timestamptz NOT NULL, metadata jsonb, CHECK (amount > 0 AND from_account_id <> to_account_id));
    CREATE INDEX ON floors.transfers (from_account_id);
    CREATE INDEX ON floors.transfers (to_account_id);
    CREATE INDEX ON floors.transfers (event_at);
    CREATE TABLE floors.entries (
      id uuid PRIMARY KEY, account_id uuid NOT NULL REFERENCES floors.accounts,
      transfer_id uuid NOT NULL REFERENCES floors.transfers, amount numeric NOT NULL,
      account_previous_balance numeric NOT NULL, account_current_balance numeric NOT NULL, account_version bigint NOT NULL,
      created_at timestamptz NOT NULL);
    CREATE INDEX ON floors.entries (account_id);
    CREATE INDEX ON floors.entries (transfer_id);

    CREATE FUNCTION floors.transfer(p_from uuid, p_to uuid, p_amount numeric) RETURNS uuid LANGUAGE plpgsql AS $$
    DECLARE
      a floors.accounts;
      b floors.accounts;
      t uuid := ledger_new_id();
    BEGIN
      PERFORM FROM floors.accounts WHERE id = least(p_from, p_to) FOR UPDATE;
      PERFORM FROM floors.accounts WHERE id = greatest(p_from, p_to) FOR UPDATE;
      UPDATE floors.accounts SET balance = balance - p_amount, version = version + 1, updated_at = now()
      WHERE id = p_from RETURNING * INTO a;
      IF NOT a.allow_negative_balance AND a.balance < 0 THEN RAISE EXCEPTION 'below zero'; END IF;
      UPDATE floors.accounts SET balance = balance + p_amount, version = version + 1, updated_at = now()
      WHERE id = p_to RETURNING * INTO b;
      IF NOT b.allow_positive_balance AND b.balance > 0 THEN RAISE EXCEPTION 'above zero'; END IF;
      INSERT INTO floors.transfers (id, from_account_id, to_account_id, amount, created_at, event_at)
      VALUES (t, p_from, p_to, p_amount, now(), now());
      INSERT INTO floors.entries VALUES
        (ledger_new_id(), p_from, t, -p_amount, a.balance + p_amount, a.balance, a.version, now());
      INSERT INTO floors.entries VALUES
        (ledger_new_id(), p_to, t, p_amount, b.balance - p_amount, b.balance, b.version, now());
      RETURN t;
    END $$;
  `);
  await db.query(
    `INSERT INTO floors.accounts
     SELECT md5(n::text)::uuid, n::text, 'USD', 1000000000, 0, false, true, NULL, now(), now()
     FROM generate_series(0, $1::int - 1) AS n`,
    [ACCOUNTS],
  );
  // A first stock of rows, so that no session makes its plans for empty tables.
  await db.query(
    `WITH made AS (
       INSERT INTO floors.transfers
       SELECT gen_random_uuid(), md5((n % $1::int)::text)::uuid, md5(((n + 1) % $1::int)::text)::uuid, 1, now(), now()
       FROM generate_series(1, $2::int / 2) AS n RETURNING *)
     INSERT INTO floors.entries
     SELECT gen_random_uuid(), a.id, m.id, a.amount, 0, 0, 0, now() FROM made m
     CROSS JOIN LATERAL (VALUES (m.from_account_id, -m.amount), (m.to_account_id, m.amount)) AS a (id, amount)`,
    [ACCOUNTS, rows],
  );
}

/** Ids of the accounts of the floors. */
export async function floorAccounts(db: pg.Pool): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>('SELECT id FROM floors.accounts ORDER BY id');
  return rows.map(({ id }) => id);
}

export const FLOOR_TRANSFER = 'SELECT floors.transfer($1, $2, 1)';

export const FLOOR_BARE = `
WITH changed AS (
  UPDATE floors.accounts SET balance = balance + CASE WHEN id = $1 THEN -1 ELSE 1 END WHERE id IN ($1, $2)
  RETURNING id, balance, version),
made AS (
  INSERT INTO floors.transfers (id, from_account_id, to_account_id, amount, created_at, event_at)
  VALUES (gen_random_uuid(), $1, $2, 1, now(), now()) RETURNING id)
INSERT INTO floors.entries
SELECT gen_random_uuid(), c.id, m.id, 1, c.balance, c.balance, c.version, now() FROM changed c CROSS JOIN made m`;

/** Our accounts with money, and as many entries as given, of months past and of this one, straight into the tables. */
export async function seedLedger(db: pg.Pool, userIds: readonly string[], entries: number): Promise<void> {
  const client = await db.connect();
  try {
    // The checks are for those who move money; these rows balance by construction.
    await client.query("SET session_replication_role = 'replica'");
    await client.query(
      `INSERT INTO ledger_accounts (id, kind, owner, currency, may_go_below_zero, created_at, balance)
       SELECT ledger_new_id(), 'user_available', u, 'USD', false, now(), 1000000000 FROM unnest($1::text[]) AS u`,
      [userIds],
    );
    await client.query(
      `WITH users AS (SELECT array_agg(id) AS ids FROM ledger_accounts WHERE kind = 'user_available'),
       made AS (
         INSERT INTO ledger_transfers (id, reference, input_hash, type, effective_at, created_at)
         SELECT ledger_new_id(), 'seed:' || n, '\\x00', 'seed', now(), now() FROM generate_series(1, $1::bigint / 2) AS n
         RETURNING id, reference, created_at)
       INSERT INTO ledger_entries (id, transfer_id, leg, account_id, currency, amount, balance_after, created_at)
       SELECT nextval('ledger_entry_id_seq'), m.id, l.leg, u.ids[1 + (hashtext(m.reference) & 1073741823) % array_length(u.ids, 1)],
              'USD', 3 - 2 * l.leg, 1000000000, m.created_at
       FROM made m CROSS JOIN users u CROSS JOIN generate_series(1, 2) AS l (leg)`,
      [entries],
    );
  } finally {
    client.release(true);
  }
  await db.query('VACUUM ANALYZE');
}
