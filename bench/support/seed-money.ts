import type pg from 'pg';

/** Of three entries of the user who has as many as there are rows. */
export const RARE_TYPE = 'prize';

/** Ids rise with the times that they are made of, as the application's and the ledger's own do. */
const ID_AT = `
CREATE FUNCTION bench_id_at(p_at timestamptz, p_n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
  SELECT (lpad(to_hex((extract(epoch FROM p_at) * 1000)::bigint), 12, '0') || '7' || substr(md5(p_n::text), 1, 3) || '8'
          || substr(md5(p_n::text), 4, 15))::uuid
$$`;

/** Who paid and withdrew when: since the month began, so that the ledger has a partition for all of it. */
const ROWS = `
CREATE UNLOGGED TABLE rows AS
SELECT n, u.ids[1 + n % cardinality(u.ids)] AS user_id,
       m.began + (now() - m.began) * (n::float8 / $2) AS at
FROM (SELECT $1::uuid[] AS ids) u, (SELECT date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS began) m,
     generate_series(1, $2::bigint) AS n`;

/** Payments with their references and events, and withdrawals with holds, transfers and entries: one of each a row. */
const business = (big: string) => [
  `INSERT INTO payments (id, user_id, purpose, amount, currency, provider, provider_reference, status, paid_amount,
                         paid_currency, paid_to_kind, paid_to_owner, created_at, opened_at, confirmed_at, failed_at, check_at)
   SELECT bench_id_at(at, n), user_id, 'deposit', 1000, 'USD', 'stripe', 'ref' || n, state,
          CASE WHEN came THEN 1000 END, CASE WHEN came THEN 'USD' END, CASE WHEN came THEN 'user_available' END,
          CASE WHEN came THEN user_id::text END, at, at, CASE WHEN came THEN at + interval '1 minute' END,
          CASE WHEN state = 'failed' THEN at END, CASE WHEN state = 'pending' THEN now() END
   FROM (SELECT *, state IN ('succeeded', 'in_review') AS came FROM (
     SELECT n, at, user_id, CASE WHEN n % 10000 = 0 THEN 'pending' WHEN n % 25000 = 1 THEN 'in_review'
                                 WHEN n % 50 = 2 THEN 'failed' ELSE 'succeeded' END AS state FROM rows) s) s`,
  `INSERT INTO payment_references (provider, reference, payment_id)
   SELECT 'stripe', 'ref' || n, bench_id_at(at, n) FROM rows`,
  `INSERT INTO provider_events (id, provider, event_id, type, about, provider_reference, content, payment_id, received_at,
                                applied_at, outcome, raw_body)
   SELECT bench_id_at(at, n), 'stripe', 'evt' || n, 'checkout.session.completed', 'payment',
          CASE WHEN n % 5000 = 1 THEN 'nobody' || n ELSE 'ref' || n END, '{}',
          CASE WHEN n % 5000 > 1 THEN bench_id_at(at, n) END, at, CASE WHEN n % 5000 <> 0 THEN at END,
          CASE n % 5000 WHEN 0 THEN NULL WHEN 1 THEN 'unknown' ELSE 'applied' END,
          CASE WHEN at > now() - interval '5 days' THEN '\\x7b7d'::bytea END
   FROM rows`,
  `INSERT INTO payment_refunds (id, payment_id, amount, reason, status, provider_reference, created_at, completed_at, check_at)
   SELECT bench_id_at(at, n), bench_id_at(at, n), 100, 'bench', CASE WHEN n % 10000 = 50 THEN 'pending' ELSE 'succeeded' END,
          're' || n, at, CASE WHEN n % 10000 <> 50 THEN at END, CASE WHEN n % 10000 = 50 THEN now() END
   FROM rows WHERE n % 50 = 0`,
  `INSERT INTO subscriptions (id, user_id, provider, provider_reference, amount, currency, status, period_end, created_at,
                              cancel_at_period_end, ended_at)
   SELECT bench_id_at(at, n), user_id, 'stripe', 'sub' || n, 1000, 'USD', CASE WHEN live THEN 'active' ELSE 'cancelled' END,
          now() + interval '1 day', at, NOT live, CASE WHEN NOT live THEN at END
   FROM (SELECT *, n > (SELECT max(n) FROM rows) - (SELECT count(*) FROM users) AS live FROM rows) s
   WHERE live OR n % 20 = 0`,
  `INSERT INTO ledger_accounts (id, kind, owner, currency, stripe, may_go_below_zero, created_at, balance)
   SELECT ledger_new_id(), k, u.id, 'USD', 0, false, now(), 1000000
   FROM (SELECT DISTINCT user_id::text AS id FROM rows) u
   CROSS JOIN unnest(ARRAY['user_available', 'user_held']) AS k`,
  `INSERT INTO ledger_transfers (id, reference, input_hash, type, effective_at, created_at, hold_id)
   SELECT bench_id_at(at, n), 'withdrawal:' || n, '\\x00', 'hold', at, at, bench_id_at(at, n) FROM rows`,
  `INSERT INTO ledger_holds (id, reference, user_id, currency, amount, captured, status, purpose, transfer_id, created_at,
                             closed_at, expires_at)
   SELECT bench_id_at(at, n), 'withdrawal:' || n, user_id, 'USD', 1000, CASE WHEN open THEN 0 ELSE 1000 END,
          CASE WHEN open THEN 'held' ELSE 'captured' END, 'withdrawal', bench_id_at(at, n), at, CASE WHEN NOT open THEN at END,
          CASE WHEN n % 20 = 0 THEN at + interval '2 hours' END
   FROM (SELECT *, n % 1000 = 0 AS open FROM rows) s`,
  `INSERT INTO withdrawals (id, user_id, amount, currency, provider, destination, hold_id, transfer_id, status,
                            provider_reference, requested_at, settled_at)
   SELECT bench_id_at(at, n), user_id, 1000, 'USD', 'stripe', '\\x01' || sha256('nowhere'), bench_id_at(at, n),
          CASE WHEN NOT open THEN bench_id_at(at, n) END, CASE WHEN open THEN 'requested' ELSE 'paid' END, 'po' || n, at,
          CASE WHEN NOT open THEN at END
   FROM (SELECT *, n % 1000 = 0 AS open FROM rows) s`,
  `INSERT INTO ledger_transfers (id, reference, input_hash, type, effective_at, created_at)
   SELECT bench_id_at(at, -n), 'big:' || n, '\\x00', CASE WHEN n IN (1, 2, 400000) THEN '${RARE_TYPE}' ELSE 'payment' END, at, at
   FROM rows`,
  `INSERT INTO ledger_entries (id, transfer_id, leg, account_id, currency, amount, balance_after, created_at)
   SELECT nextval('ledger_entry_id_seq'), bench_id_at(at, -n), 1,
          (SELECT id FROM ledger_accounts WHERE kind = 'user_available' AND owner = '${big}' AND currency = 'USD'), 'USD', 1, n, at
   FROM rows ORDER BY n`,
  `INSERT INTO ledger_entries (id, transfer_id, leg, account_id, currency, amount, balance_after, created_at)
   SELECT nextval('ledger_entry_id_seq'), bench_id_at(at, n), 1, a.id, 'USD', -1, 1, at
   FROM rows r JOIN ledger_accounts a ON a.kind = 'user_available' AND a.owner = r.user_id::text ORDER BY n`,
];

/** Straight into the tables. Answers the user who has as many entries as everybody has transfers. */
export async function seedMoney(db: pg.Pool, userIds: readonly string[], count: number): Promise<string> {
  const big = userIds[0] ?? '';
  const client = await db.connect();
  try {
    // The checks are for those who move money; these rows are only to be many.
    await client.query("SET session_replication_role = 'replica'");
    await client.query(ID_AT);
    await client.query(ROWS, [userIds, count]);
    for (const statement of business(big)) await client.query(statement);
  } finally {
    client.release(true);
  }
  await db.query('VACUUM ANALYZE');
  return big;
}
