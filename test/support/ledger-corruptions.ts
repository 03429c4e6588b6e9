/** The verifier's rules, by short names. */
export const RULES = {
  sums: 'transfers sum to zero in each currency',
  whole: 'balances sum to zero in each currency',
  totals: 'balances are the sums of their entries',
  last: 'balances are those of their last entries',
  chain: 'each entry goes on from the one before it',
  held: 'held balances are what their holds have left',
  moved: 'holds have moved what their transfers say',
  belongs: 'entries belong to a transfer and to an account of their currency',
  empty: 'transfers have entries',
  holds: 'holds belong to a transfer and to accounts of their user',
  below: 'accounts of users, matches, codes and pools are never below zero, and never were',
  mirror: 'reversals take back exactly what they reverse',
  guards: 'the database itself keeps the rules',
} as const;

/** The account in which a user, the first parameter of a statement, has available money. */
export const accountOf = (currency: string) =>
  `(SELECT id FROM ledger_accounts WHERE kind = 'user_available' AND owner = $1::text AND currency = '${currency}')`;

export interface Corruption {
  readonly what: string;
  readonly sql: string;
  /** The user, by number, whose id is its parameter. */
  readonly of?: number;
  /** How many rows it changes. */
  readonly rows: number;
  /** The rules that it breaks, no more and no fewer. */
  readonly rules: readonly string[];
}

const { sums, whole, totals, last, chain, held, moved, belongs, empty, holds, mirror } = RULES;

export const CORRUPTIONS: readonly Corruption[] = [
  {
    what: 'an amount that was changed',
    sql: `UPDATE ledger_entries SET amount = amount + 1 WHERE account_id = ${accountOf('XAF')}`,
    of: 0,
    rows: 1,
    rules: [sums, totals, chain],
  },
  {
    what: 'an entry that is gone',
    sql: `DELETE FROM ledger_entries WHERE id = (SELECT min(id) FROM ledger_entries
               WHERE account_id = ${accountOf('USD')})`,
    of: 0,
    rows: 1,
    rules: [sums, totals, chain],
  },
  {
    what: 'a balance that was raised',
    sql: `UPDATE ledger_accounts SET balance = balance + 1 WHERE id = ${accountOf('USD')}`,
    of: 1,
    rows: 1,
    rules: [whole, totals, last],
  },
  {
    what: 'a balance after an entry that was changed',
    sql: `UPDATE ledger_entries SET balance_after = balance_after + 1
             WHERE id = (SELECT last_entry FROM ledger_accounts WHERE id = ${accountOf('USD')})`,
    of: 1,
    rows: 1,
    rules: [last, chain],
  },
  {
    what: 'a transfer that is gone',
    sql: "DELETE FROM ledger_transfers WHERE type = 'stake'",
    rows: 1,
    rules: [belongs],
  },
  {
    what: 'an account that is gone',
    sql: `DELETE FROM ledger_accounts WHERE id = ${accountOf('XAF')}`,
    of: 2,
    rows: 1,
    rules: [whole, belongs, holds],
  },
  {
    what: 'a transfer without entries',
    sql: `INSERT INTO ledger_transfers (id, reference, input_hash, type, effective_at, created_at)
             VALUES (ledger_new_id(), 'nothing', '', 'deposit', now(), now())`,
    rows: 1,
    rules: [empty],
  },
  {
    what: 'a hold that has more left than is held',
    sql: "UPDATE ledger_holds SET captured = captured - 1 WHERE status = 'held' AND captured > 0",
    rows: 1,
    rules: [held, moved],
  },
  {
    what: 'an open hold that is gone',
    sql: "DELETE FROM ledger_holds WHERE status = 'held' AND captured > 0",
    rows: 1,
    rules: [held, holds],
  },
  {
    what: 'a hold that is over, and gone',
    sql: "DELETE FROM ledger_holds WHERE status = 'released'",
    rows: 1,
    rules: [holds],
  },
  {
    what: 'a hold of nobody',
    sql: `INSERT INTO ledger_holds (id, reference, user_id, currency, amount, captured, status, purpose, transfer_id,
                                       created_at, closed_at)
             VALUES (gen_random_uuid(), 'nobody', gen_random_uuid(), 'USD', 5, 5, 'captured', 'x', gen_random_uuid(), now(),
                     now())`,
    rows: 1,
    rules: [holds],
  },
  {
    what: 'a reversal of something else',
    sql: `UPDATE ledger_transfers SET reverses = (SELECT id FROM ledger_transfers WHERE type = 'stake')
             WHERE id = (SELECT min(id::text)::uuid FROM ledger_transfers WHERE type = 'reversal')`,
    rows: 1,
    rules: [mirror],
  },
  {
    what: 'one currency that became another',
    sql: `UPDATE ledger_entries SET account_id = ${accountOf('EUR')}
             WHERE id = (SELECT last_entry FROM ledger_accounts WHERE id = ${accountOf('USD')})`,
    of: 1,
    rows: 1,
    rules: [totals, last, chain, belongs],
  },
  {
    what: 'two entries that changed places',
    sql: `UPDATE ledger_entries e SET id = -o.id FROM (
               SELECT id, row_number() OVER (ORDER BY id) AS n FROM ledger_entries
               WHERE account_id = ${accountOf('USD')}) o WHERE e.id = o.id AND o.n IN (2, 3)`,
    of: 0,
    rows: 2,
    rules: [chain],
  },
  {
    what: 'money that came from nowhere, well booked',
    sql: `WITH t AS (
               INSERT INTO ledger_transfers (id, reference, input_hash, type, effective_at, created_at)
               VALUES (ledger_new_id(), 'nowhere', '', 'deposit', now(), now()) RETURNING id),
             a AS (
               UPDATE ledger_accounts SET balance = balance + 100, last_entry = nextval('ledger_entry_id_seq')
               WHERE id = ${accountOf('USD')} RETURNING *)
             INSERT INTO ledger_entries (id, transfer_id, leg, account_id, currency, amount, balance_after, created_at)
             SELECT a.last_entry, t.id, 1, a.id, a.currency, 100, a.balance, now() FROM t, a`,
    of: 0,
    rows: 1,
    rules: [sums, whole],
  },
];
