import type { Client } from './client.js';
import type { DocumentedApi } from './documented-api.js';
import type { System } from './system.js';

/** What does not hold of limits, by SQL over what was let through, what counts, and which limits were in force when: always nothing. */
export async function limitProblems(system: System): Promise<unknown[]> {
  const { rows } = await system.db.query(`
    WITH sums AS (
      SELECT reference, sum(amount) FILTER (WHERE kind = 'deposit') AS deposit, sum(amount) FILTER (WHERE kind = 'stake') AS stake,
             sum(amount) FILTER (WHERE kind = 'loss') AS loss
      FROM limit_entries GROUP BY 1),
    -- A limit is in force from a change of it to the next.
    spans AS (
      SELECT l.user_id, l.currency, l.kind, l.period, c.amount, c.at AS since,
             lead(c.at, 1, 'infinity') OVER (PARTITION BY c.limit_id ORDER BY c.at, c.id) AS until
      FROM limit_changes c JOIN user_limits l ON l.id = c.limit_id),
    windows AS (
      SELECT b.reference, s.kind, s.period, s.amount AS in_force,
             (SELECT coalesce(sum(e.amount), 0) FROM limit_entries e
              WHERE e.user_id = b.user_id AND e.currency = b.currency AND e.kind = s.kind AND e.at <= b.booked_at
                AND CASE s.period WHEN 'day' THEN e.at > b.booked_at - interval '24 hours'
                                  WHEN 'week' THEN e.at > b.booked_at - interval '168 hours'
                                  ELSE date_trunc('month', e.at AT TIME ZONE 'UTC') = date_trunc('month', b.booked_at AT TIME ZONE 'UTC')
                    END) AS came
      FROM limit_bookings b JOIN spans s ON s.user_id = b.user_id AND s.currency = b.currency AND s.amount IS NOT NULL
        AND s.since <= b.booked_at AND b.booked_at < s.until
      WHERE CASE s.kind WHEN 'deposit' THEN b.pays_in ELSE b.stakes END)
    SELECT 'what counts of a booking' AS rule, b.reference, to_jsonb(b) || coalesce(to_jsonb(s), '{}') AS found
    FROM limit_bookings b LEFT JOIN sums s USING (reference)
    WHERE coalesce(s.deposit, 0) <> CASE WHEN b.pays_in AND b.status = 'counted' THEN b.amount - b.given_back ELSE 0 END
       OR coalesce(s.stake, 0) <> CASE WHEN b.stakes AND b.status = 'counted' THEN b.amount - b.given_back ELSE 0 END
       OR coalesce(s.loss, 0) + b.at_risk <> CASE WHEN b.stakes AND b.status = 'counted' THEN b.amount - b.given_back ELSE 0 END
    UNION ALL
    SELECT 'a window never passes the limit that was in force', reference, to_jsonb(w) FROM windows w WHERE came > in_force
    UNION ALL
    SELECT 'the last change is what is in force', l.id::text, to_jsonb(l) FROM user_limits l
    WHERE l.amount IS DISTINCT FROM (SELECT c.amount FROM limit_changes c WHERE c.limit_id = l.id ORDER BY c.at DESC, c.id DESC LIMIT 1)
    UNION ALL
    -- A payment is to the limits what it is to the ledger.
    SELECT 'a payment counts when its money is where it was to go', b.reference, to_jsonb(p)
    FROM limit_bookings b JOIN payments p ON b.reference = 'payment:' || p.id
    WHERE p.review IS DISTINCT FROM 'REFUND_FAILED' AND (b.status <> CASE WHEN p.status IN ('created', 'pending') THEN 'open'
                           WHEN p.paid_to_owner IS NULL OR p.paid_to_owner = 'payment:' || p.id THEN 'released'
                           ELSE 'counted' END
       OR (b.status = 'counted' AND b.given_back <> p.refunded))
    UNION ALL
    SELECT 'what was won is in the ledger', e.reference, to_jsonb(e) FROM limit_entries e
    WHERE e.cause = 'won' AND NOT EXISTS (
      SELECT FROM ledger_entries l JOIN ledger_accounts a ON a.id = l.account_id
      WHERE 'transfer:' || l.transfer_id = e.reference AND a.kind = 'user_available' AND a.owner = e.user_id::text
        AND a.currency = e.currency AND l.amount = -e.amount)`);
  return rows;
}

/** Calls every operation of limits, and of the statement that goes with them. */
export async function callLimits(system: System, call: DocumentedApi['call'], player: Client): Promise<void> {
  const limit = { kind: 'loss', period: 'month', currency: 'EUR' };
  const { id } = await call('Limits_set', player, {}, { ...limit, amount: 50_000 });
  await call('Limits_set', player, {}, { ...limit, amount: 90_000 });
  await call('Limits_takeBack', player, { id });
  await call('Limits_set', player, {}, limit);
  await system.db.query(
    "UPDATE user_limits SET requested_at = requested_at - interval '25 hours' WHERE id = $1",
    [id],
  );
  await call('Limits_get', player);
  await call('Limits_confirm', player, { id });
  await call('Activity_statement', player);
}
