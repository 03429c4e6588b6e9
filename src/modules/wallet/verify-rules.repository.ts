/** A rule of the ledger and the statement that finds what breaks it, one row a problem: `subject` and `problem`. */
export interface LedgerRule {
  readonly rule: string;
  readonly sql: string;
}

const ACCOUNT = `format('account %s %s %s%s', a.kind, a.owner, a.currency,
  CASE WHEN a.kind IN ('fees', 'clearing') THEN ', stripe ' || a.stripe ELSE '' END)`;

/** Statements that read all entries are one pass over them with a hash or a sort that goes to disk: memory stays bounded. */
export const LEDGER_RULES: readonly LedgerRule[] = [
  {
    rule: 'transfers sum to zero in each currency',
    sql: `SELECT 'transfer ' || transfer_id AS subject, format('its %s sum to %s', currency, sum(amount)) AS problem
      FROM ledger_entries GROUP BY transfer_id, currency HAVING sum(amount) <> 0`,
  },
  {
    rule: 'balances sum to zero in each currency',
    sql: `SELECT 'all accounts' AS subject, format('their %s sum to %s', currency, sum(balance)) AS problem
      FROM ledger_accounts GROUP BY currency HAVING sum(balance) <> 0`,
  },
  {
    rule: 'balances are the sums of their entries',
    sql: `SELECT ${ACCOUNT} AS subject,
             format('its balance is %s, its entries sum to %s', a.balance, coalesce(e.sum, 0)) AS problem
      FROM ledger_accounts a
      LEFT JOIN (SELECT account_id, sum(amount) AS sum FROM ledger_entries GROUP BY account_id) e ON e.account_id = a.id
      WHERE a.balance <> coalesce(e.sum, 0)`,
  },
  {
    // The greatest of pairs is the one with the greatest id.
    rule: 'balances are those of their last entries',
    sql: `SELECT ${ACCOUNT} AS subject,
             format('its balance is %s after entry %s; its last entry is %s, with %s after it', a.balance, a.last_entry,
                    e.last[1], e.last[2]) AS problem
      FROM ledger_accounts a
      LEFT JOIN (SELECT account_id, max(ARRAY[id, balance_after]) AS last FROM ledger_entries GROUP BY account_id) e
        ON e.account_id = a.id
      WHERE a.balance <> coalesce(e.last[2], 0) OR a.last_entry IS DISTINCT FROM e.last[1]`,
  },
  {
    rule: 'each entry goes on from the one before it',
    sql: `SELECT format('entry %s of account %s', id, account_id) AS subject,
             format('%s and %s make no %s', before, amount, balance_after) AS problem
      FROM (SELECT id, account_id, amount, balance_after,
                   lag(balance_after, 1, 0::bigint) OVER (PARTITION BY account_id ORDER BY id) AS before
            FROM ledger_entries) e
      WHERE before + amount <> balance_after`,
  },
  {
    rule: 'held balances are what their holds have left',
    sql: `SELECT format('user %s', coalesce(a.owner, h.owner)) AS subject,
             format('holds of %s leave %s, the held balance is %s', coalesce(a.currency, h.currency),
                    coalesce(h.remaining, 0), coalesce(a.balance, 0)) AS problem
      FROM (SELECT owner, currency, sum(balance) AS balance FROM ledger_accounts WHERE kind = 'user_held'
            GROUP BY owner, currency) a
      FULL JOIN (SELECT user_id::text AS owner, currency, sum(amount - captured - released) AS remaining
                 FROM ledger_holds WHERE status = 'held' GROUP BY user_id, currency) h
        ON h.owner = a.owner AND h.currency = a.currency
      WHERE coalesce(h.remaining, 0) <> coalesce(a.balance, 0)`,
  },
  {
    rule: 'holds have moved what their transfers say',
    sql: `SELECT 'hold ' || h.id AS subject,
             format('%s of %s are left, its transfers leave %s', h.amount - h.captured - h.released, h.amount,
                    coalesce(m.moved, 0)) AS problem
      FROM ledger_holds h
      LEFT JOIN (
        SELECT t.hold, sum(e.amount) AS moved
        FROM (SELECT id AS hold, transfer_id FROM ledger_holds
              UNION SELECT hold_id, id FROM ledger_transfers WHERE hold_id IS NOT NULL) t
        JOIN ledger_entries e ON e.transfer_id = t.transfer_id
        JOIN ledger_accounts a ON a.id = e.account_id AND a.kind = 'user_held'
        GROUP BY t.hold) m ON m.hold = h.id
      WHERE coalesce(m.moved, 0) <> h.amount - h.captured - h.released
         OR (h.status = 'held') <> (h.captured + h.released < h.amount)`,
  },
  {
    rule: 'entries belong to a transfer and to an account of their currency',
    sql: `SELECT format('entry %s', e.id) AS subject,
             CASE WHEN t.id IS NULL THEN format('there is no transfer %s', e.transfer_id)
                  WHEN a.id IS NULL THEN format('there is no account %s', e.account_id)
                  ELSE format('it is in %s, its account in %s', e.currency, a.currency) END AS problem
      FROM ledger_entries e
      LEFT JOIN ledger_transfers t ON t.id = e.transfer_id
      LEFT JOIN ledger_accounts a ON a.id = e.account_id
      WHERE t.id IS NULL OR a.id IS NULL OR a.currency <> e.currency`,
  },
  {
    rule: 'transfers have entries',
    sql: `SELECT 'transfer ' || t.id AS subject, format('%s has no entries', t.reference) AS problem
      FROM ledger_transfers t
      WHERE NOT EXISTS (SELECT FROM ledger_entries e WHERE e.transfer_id = t.id)`,
  },
  {
    rule: 'holds belong to a transfer and to accounts of their user',
    sql: `SELECT 'hold ' || h.id AS subject,
             CASE WHEN t.id IS NULL THEN format('there is no transfer %s', h.transfer_id)
                  ELSE format('user %s has no account of %s that it holds from or in', h.user_id, h.currency) END AS problem
      FROM ledger_holds h
      LEFT JOIN ledger_transfers t ON t.id = h.transfer_id
      LEFT JOIN ledger_accounts f ON f.kind = 'user_available' AND f.owner = h.user_id::text AND f.currency = h.currency
      LEFT JOIN ledger_accounts i ON i.kind = 'user_held' AND i.owner = h.user_id::text AND i.currency = h.currency
      WHERE t.id IS NULL OR f.id IS NULL OR i.id IS NULL
      UNION ALL
      SELECT 'transfer ' || t.id, format('there is no hold %s', t.hold_id) FROM ledger_transfers t
      WHERE t.hold_id IS NOT NULL AND NOT EXISTS (SELECT FROM ledger_holds h WHERE h.id = t.hold_id)`,
  },
  {
    rule: 'accounts of users, matches, codes and pools are never below zero, and never were',
    sql: `SELECT ${ACCOUNT} AS subject, coalesce('it was at ' || e.least, 'it is at ' || a.balance) AS problem
      FROM ledger_accounts a
      LEFT JOIN (SELECT account_id, min(balance_after) AS least FROM ledger_entries WHERE balance_after < 0
                 GROUP BY account_id) e ON e.account_id = a.id
      WHERE (NOT a.may_go_below_zero OR a.kind IN ('user_available', 'user_held', 'escrow', 'pot', 'carried_pot'))
        AND (a.balance < 0 OR e.least IS NOT NULL)`,
  },
  {
    // By whose an account is and not by its row: a house account's legs may lie on two stripes, and what was captured from
    // a hold comes back as available money.
    rule: 'reversals take back exactly what they reverse',
    sql: `SELECT 'transfer ' || reversal AS subject,
             format('%s %s keeps %s %s of transfer %s', kind, owner, sum(amount), currency, reversed) AS problem
      FROM (
        SELECT r.reversal, r.reversed, a.owner, a.currency, e.amount,
               CASE WHEN a.kind IN ('user_available', 'user_held') THEN 'user' ELSE a.kind END AS kind
        FROM (SELECT id AS reversal, reverses AS reversed, unnest(ARRAY[id, reverses]) AS transfer_id
              FROM ledger_transfers WHERE reverses IS NOT NULL) r
        JOIN ledger_entries e ON e.transfer_id = r.transfer_id
        JOIN ledger_accounts a ON a.id = e.account_id) both_ways
      GROUP BY reversal, reversed, kind, owner, currency HAVING sum(amount) <> 0`,
  },
  {
    // Names that the migrations gave; what is left out here may be dropped without anybody hearing of it.
    rule: 'the database itself keeps the rules',
    sql: `SELECT g.kind || ' ' || g.name AS subject, coalesce(s.state, 'it is gone') AS problem
      FROM (VALUES
        ('trigger', 'ledger_entries', 'ledger_entries_append_only'),
        ('trigger', 'ledger_entries', 'ledger_entries_balanced'),
        ('trigger', 'ledger_transfers', 'ledger_transfers_append_only'),
        ('trigger', 'ledger_accounts', 'ledger_accounts_kept'),
        ('trigger', 'ledger_holds', 'ledger_holds_kept'),
        ('constraint', 'ledger_accounts', 'ledger_accounts_not_negative'),
        ('constraint', 'ledger_accounts', 'ledger_accounts_kind'),
        ('constraint', 'ledger_accounts', 'ux_ledger_accounts'),
        ('constraint', 'ledger_transfers', 'ux_ledger_transfers_reference'),
        ('index', 'ledger_transfers', 'ux_ledger_transfers_reverses'),
        ('constraint', 'ledger_holds', 'ux_ledger_holds_reference'),
        ('constraint', 'ledger_holds', 'ledger_holds_conserved')) AS g (kind, relation, name)
      LEFT JOIN LATERAL (
        SELECT true AS here, CASE WHEN tgenabled = 'D' THEN 'it is switched off' END AS state
        FROM pg_trigger WHERE g.kind = 'trigger' AND tgrelid = g.relation::regclass AND tgname = g.name
        UNION ALL
        SELECT true, CASE WHEN NOT convalidated THEN 'it was never checked against the rows' END
        FROM pg_constraint WHERE g.kind = 'constraint' AND conrelid = g.relation::regclass AND conname = g.name
        UNION ALL
        SELECT true, CASE WHEN NOT (indisunique AND indisvalid) THEN 'it does not keep its rule' END
        FROM pg_index WHERE g.kind = 'index' AND indrelid = g.relation::regclass AND indexrelid = to_regclass(g.name)) s ON true
      WHERE s.here IS NULL OR s.state IS NOT NULL
      UNION ALL
      -- Each month of entries is kept by triggers of its own.
      SELECT 'table ' || i.inhrelid::regclass, 'its entries can be changed: a trigger is gone or switched off'
      FROM pg_inherits i
      WHERE i.inhparent = 'ledger_entries'::regclass AND (
        NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = i.inhrelid AND t.tgname = 'append_only' AND t.tgenabled <> 'D')
        OR NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = i.inhrelid AND t.tgname = 'ledger_entries_balanced'
                       AND t.tgenabled <> 'D'))`,
  },
];
