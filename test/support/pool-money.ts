import { VerifyService } from '../../src/modules/wallet/verify.service.js';
import type { System } from './system.js';

/**
 * What does not hold of the pools' money, by SQL over the ledger's entries and the tables of the pools, and of the ledger by
 * itself: always nothing.
 */
export async function moneyProblems(system: System): Promise<unknown[]> {
  const { rules } = await system.app.get(VerifyService, { strict: false }).verify(null);
  const { rows } = await system.db.query(`
    WITH moved AS (
      SELECT t.reference, t.type, (t.metadata->>'weekId')::int AS week_id, a.kind, a.owner, a.currency, e.amount
      FROM ledger_entries e JOIN ledger_transfers t ON t.id = e.transfer_id JOIN ledger_accounts a ON a.id = e.account_id),
    -- Of each week: what left the accounts of its fees is in its pots or with the house.
    fees AS (
      SELECT week_id, currency,
             -coalesce(sum(amount) FILTER (WHERE kind = 'escrow'), 0) AS fees,
             coalesce(sum(amount) FILTER (WHERE kind = 'pot'), 0) AS pots,
             coalesce(sum(amount) FILTER (WHERE kind = 'fees'), 0) AS house,
             -coalesce(sum(amount) FILTER (WHERE kind IN ('promotions', 'carried_pot')), 0) AS added
      FROM moved WHERE type = 'entry_fees' GROUP BY 1, 2),
    -- Of each pool: what came into its pot, and what left it.
    pots AS (
      SELECT owner::uuid AS pool_id, currency, sum(amount) FILTER (WHERE type = 'entry_fees') AS came,
             -coalesce(sum(amount) FILTER (WHERE type <> 'entry_fees'), 0) AS went, sum(amount) AS remains
      FROM moved WHERE kind = 'pot' GROUP BY 1, 2),
    prizes_of AS (SELECT pool_id, sum(amount) AS paid FROM prizes GROUP BY 1)
    SELECT 'fees in = pots + house' AS rule, week_id::text AS what, to_jsonb(fees) AS found FROM fees
    WHERE fees + added <> pots + house
    UNION ALL
    SELECT 'pot in = prizes + carried', t.pool_id::text, to_jsonb(p) || to_jsonb(t) || to_jsonb(z)
    FROM prize_pots t LEFT JOIN pots p ON p.pool_id = t.pool_id LEFT JOIN prizes_of z ON z.pool_id = t.pool_id
    WHERE t.revision > 0 AND (t.amount <> coalesce(p.came, 0) OR t.amount <> coalesce(p.went, 0)
      OR t.amount <> coalesce(z.paid, 0) + t.carried_out)
    UNION ALL
    SELECT 'a pot is empty once its week is settled', a.owner, to_jsonb(a) FROM ledger_accounts a
    JOIN pools p ON p.id::text = a.owner JOIN weeks w ON w.id = p.week_id
    WHERE a.kind = 'pot' AND w.status = 'settled' AND a.balance <> 0
    UNION ALL
    SELECT 'carried = out - in', a.currency, to_jsonb(a) FROM ledger_accounts a
    WHERE a.kind = 'carried_pot' AND a.balance <> (SELECT sum(carried_out) - sum(carried_in) FROM prize_pots WHERE revision > 0)
    UNION ALL
    SELECT 'a prize is in its wallet', z.user_id::text, to_jsonb(z) FROM prizes z
    WHERE z.status <> 'paid' OR NOT EXISTS (
      SELECT FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id
      WHERE e.transfer_id = z.transfer_id AND a.kind = 'user_available' AND a.owner = z.user_id::text
        AND a.currency = z.currency AND e.amount = z.amount)
      OR EXISTS (SELECT FROM ledger_transfers r WHERE r.reverses = z.transfer_id)
    UNION ALL
    -- What was won is what was posted for it, less what was taken back.
    SELECT 'nothing is paid twice', p.owner, jsonb_build_object('posted', p.posted, 'won', z.won)
    FROM (SELECT m.owner, sum(m.amount) AS posted FROM moved m
          WHERE m.kind = 'user_available' AND (m.type = 'prize' OR m.reference LIKE '%:corrected') GROUP BY 1) p
    FULL JOIN (SELECT user_id::text AS owner, sum(amount) AS won FROM prizes GROUP BY 1) z USING (owner)
    WHERE coalesce(p.posted, 0) <> coalesce(z.won, 0)`);
  return [...rules.filter(({ problems }) => problems.length > 0), ...rows];
}
