import { expect, it } from '@jest/globals';
import { GroupingService } from '../../src/modules/pools/grouping.service.js';
import { WeeksService } from '../../src/modules/pools/weeks.service.js';
import { WeekSettlementService } from '../../src/modules/settlement/week-settlement.service.js';
import { Builders } from '../support/builders.js';
import { moneyProblems } from '../support/pool-money.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import { Wallets } from '../support/wallets.js';

it('scale', async () => {
  const system = await startSystemWithRules({ prizes: { source: 'entryFees', share: 80, minStaked: 0 } }, { worker: false, at: '2023-10-03T12:00:00Z' });
  try {
  const make = new Builders(system);
  await make.week(202341, { group: false });
  await system.db.query(`INSERT INTO users (id, email, handle, display_name, birth_date, terms_version, terms_accepted_at, created_at)
    SELECT gen_random_uuid(), 'p'||n||'@e.com', 'player'||n, 'player', '1990-01-01', '1', now(), now() FROM generate_series(1, 100000) n`);
  await system.db.query(`INSERT INTO week_passes (user_id, week_id, source, created_at) SELECT id, 202341, 'payment', now() FROM users`);
  await system.db.query(`INSERT INTO week_purchases (payment_id, user_id, purpose, week_id, last_week_id, amount, currency, escrow, created_at) SELECT gen_random_uuid(), id, 'week_pass', 202341, 202341, 1000, 'USD', 'entry_fees:202341', now() FROM users`);
  await system.db.query('ANALYZE');
  await new Wallets(system).move({ kind: 'clearing', owner: 'sandbox', currency: 'USD' }, { kind: 'escrow', owner: 'entry_fees:202341', currency: 'USD' }, 100_000_000n);
  await system.moveTo('2023-10-09T04:00:00Z');
  let t = performance.now();
  await system.app.get(GroupingService).group(202341, null);
  console.log('group', performance.now() - t);
  await system.moveTo('2023-10-16T04:00:00Z');
  await system.app.get(WeeksService).close(202341);
  t = performance.now();
  await system.app.get(WeekSettlementService).settleIfReady(202341);
  console.log('settle', performance.now() - t);
  console.log((await system.db.query(`SELECT kind, sum(balance) FROM ledger_accounts GROUP BY 1`)).rows, (await system.db.query('SELECT count(*) FROM prizes')).rows);
  expect(await moneyProblems(system)).toEqual([]);
  } finally {
  await system.stop();
  }
}, 200_000);
