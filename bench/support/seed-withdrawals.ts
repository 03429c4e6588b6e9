import type pg from 'pg';
import { v7 } from 'uuid';
import { columnContext, type KeyRing } from '../../src/platform/security/key-ring.js';

const AMOUNT = 1000;
const AT_ONCE = 10_000;

/** A withdrawal that waits for an operator, and the hold with its money. */
export interface Waiting {
  readonly id: string;
  readonly holdId: string;
}

/** Withdrawals in turns of these users, whose available accounts are there, straight into the tables. */
export async function seedWithdrawals(
  db: pg.Pool,
  userIds: readonly string[],
  keyRing: KeyRing,
  count: number,
): Promise<Waiting[]> {
  const all = Array.from({ length: count }, () => ({ id: v7(), holdId: v7() }));
  const client = await db.connect();
  try {
    // The checks are for those who move money; these rows balance by construction.
    await client.query("SET session_replication_role = 'replica'");
    await client.query(
      `INSERT INTO ledger_accounts (id, kind, owner, currency, may_go_below_zero, created_at, balance)
       SELECT ledger_new_id(), 'user_held', u, 'USD', false, now(), $2 FROM unnest($1::text[]) AS u`,
      [userIds, AMOUNT * Math.ceil(count / userIds.length)],
    );
    for (let first = 0; first < count; first += AT_ONCE) {
      const some = all.slice(first, first + AT_ONCE);
      await client.query(
        `WITH w AS (
           SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bytea[]) AS w (id, hold_id, user_id, destination)),
         transfers AS (
           INSERT INTO ledger_transfers (id, reference, input_hash, type, effective_at, created_at, hold_id)
           SELECT hold_id, 'withdrawal:' || id, '\\x00', 'hold', now(), now(), hold_id FROM w),
         holds AS (
           INSERT INTO ledger_holds (id, reference, user_id, currency, amount, purpose, transfer_id, created_at)
           SELECT hold_id, 'withdrawal:' || id, user_id, 'USD', $5, 'withdrawal', hold_id, now() FROM w)
         INSERT INTO withdrawals (id, user_id, amount, currency, provider, destination, hold_id, status, requested_at)
         SELECT id, user_id, $5, 'USD', 'sandbox', destination, hold_id, 'requested', now() FROM w`,
        [
          some.map(({ id }) => id),
          some.map(({ holdId }) => holdId),
          some.map((_, n) => userIds[(first + n) % userIds.length]),
          some.map(({ id }) =>
            keyRing.encrypt('sandbox:paid', columnContext('withdrawals', 'destination', id)),
          ),
          AMOUNT,
        ],
      );
    }
  } finally {
    client.release(true);
  }
  await db.query('VACUUM ANALYZE');
  return all;
}

/** Users who may decide. */
export async function seedOperators(db: pg.Pool, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => v7());
  await db.query(
    `INSERT INTO users (id, email, handle, display_name, birth_date, terms_version, terms_accepted_at, created_at, role)
     SELECT id, n || '@example.com', 'operator' || n, 'operator' || n, '1990-01-01', '2026-11', now(), now(), 'admin'
     FROM unnest($1::uuid[]) WITH ORDINALITY AS u (id, n)`,
    [ids],
  );
  return ids;
}
