import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type {
  ActivityDto,
  ActivityStatementDto,
} from '../../src/modules/compliance/activity/dto/activity.dto.js';
import { LedgerService } from '../../src/modules/wallet/ledger.service.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { BoxOffice } from '../support/box-office.js';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import type { PaymentsBench } from '../support/payments.js';
import { proveAgain } from '../support/proofs.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import type { System } from '../support/system.js';
import { Wallets } from '../support/wallets.js';

const OCTOBER = '2023-10-03T12:00:00.000Z';
const NOTHING: Omit<ActivityDto, 'currency'> = {
  deposits: 0,
  purchases: { weekPasses: 0, subscriptions: 0, buyBacks: 0 },
  prizes: 0,
  refunds: 0,
  withdrawals: 0,
  result: 0,
  netDeposits: 0,
};

describe('the activity statement', () => {
  let office: BoxOffice;
  let bench: PaymentsBench;
  let system: System;
  let make: Builders;
  let admin: Client;
  let player: Client;

  beforeAll(async () => {
    system = await startSystemWithRules({}, { worker: false, at: OCTOBER });
    office = await BoxOffice.open(system);
    bench = office.bench;
    make = new Builders(system);
    admin = await make.admin();
    for (const week of [202340, 202341, 202342]) await make.week(week, { group: false });
  });
  afterAll(async () => bench.close());
  beforeEach(async () => {
    await system.moveTo(OCTOBER);
    [player] = (await make.players(1)) as [Client];
  });

  /** Over everybody: what came in and did not go out is what the providers hold for us. */
  afterEach(async () => {
    await bench.deliver();
    const { rows } = await system.db.query(`
      WITH told AS (
        SELECT a.currency, sum(CASE WHEN a.what IN ('deposit', 'week_pass', 'subscription', 'buy_back') THEN a.amount
                                    WHEN a.what IN ('refunded_deposit', 'refunded_purchase', 'withdrawal') THEN -a.amount
                                    ELSE 0 END) AS net
        FROM users u CROSS JOIN LATERAL ledger_activity(u.id) a GROUP BY 1)
      SELECT * FROM told FULL JOIN (
        SELECT currency, -sum(balance) AS held FROM ledger_accounts WHERE kind = 'clearing' GROUP BY 1) l USING (currency)
      WHERE coalesce(net, 0) <> coalesce(held, 0)`);
    expect(rows).toEqual([]);
  });

  const statement = async (query = '', of = player): Promise<ActivityStatementDto> => {
    const { status, data } = await of.get(`compliance/activity${query}`);
    expect(status).toBe(200);
    return data;
  };
  const inLedger = async <T>(
    work: (ledger: LedgerService, manager: Parameters<LedgerService['post']>[0]) => Promise<T>,
  ) =>
    await system.app
      .get(UnitOfWork)
      .run(async (manager) => await work(system.app.get(LedgerService), manager));
  const usd = (amounts: Partial<ActivityDto>) => ({ ...NOTHING, currency: 'USD', ...amounts });

  /** Money out, as a withdrawal books it. */
  async function takeOut(amount: bigint): Promise<string> {
    return await inLedger(async (ledger, manager) => {
      const reference = `withdrawal:${randomUUID()}`;
      const { holdId } = await ledger.hold(manager, {
        reference,
        userId: player.userId,
        amount,
        currency: 'USD',
        purpose: 'withdrawal',
        expiresAt: null,
      });
      const to = { kind: 'clearing', owner: 'scripted', currency: 'USD' } as const;
      return (
        await ledger.capture(manager, { holdId, reference: `${reference}:paid`, amount, to, final: true })
      ).transferId;
    });
  }

  const reverse = async (transferId: string) =>
    await inLedger(async (ledger, manager) =>
      ledger.reverse(manager, {
        transferId,
        reference: `${transferId}:back`,
        reason: 'test',
        requestedBy: null,
      }),
    );

  it('of who has done nothing is of empty months', async () => {
    expect(await statement()).toEqual({
      months: ['2023-10-01', '2023-09-01', '2023-08-01', '2023-07-01'].map((month) => ({
        month,
        currencies: [],
      })),
      total: [],
      lifetimeNetDeposits: [],
    });
    expect((await statement('?months=12')).months).toHaveLength(13);
  });

  it.each(['0', '4', '13', 'twelve', '', '3.0', '-3'])('of %j months is refused', async (months) => {
    const { status, error } = await player.get(`compliance/activity?months=${months}`);
    expect([status, error.code]).toEqual([400, 'VALIDATION_FAILED']);
  });

  it('tells by month and currency what was paid, won, given back and taken out', async () => {
    await bench.paid(player, { amount: 5000 });
    await bench.paid(player, { amount: 700, currency: 'EUR' });
    const pass = await office.buy(player, 'week_pass');
    await bench.begin(player); // not paid: not in it
    await new Wallets(system).move(
      { kind: 'promotions', owner: 'house', currency: 'USD' },
      { kind: 'user_available', owner: player.userId, currency: 'USD' },
      9000n,
      'prize',
    );
    await takeOut(2000n);
    await system.moveTo('2023-11-01T00:00:00.000Z');
    await proveAgain(system, admin);
    const refund = { amount: undefined, reason: 'Asked for it' };
    expect((await admin.post(`admin/payments/${pass}/refund`, refund, { key: randomUUID() })).status).toBe(
      202,
    );
    await bench.deliver();
    const november = usd({ refunds: 1000, result: 1000, netDeposits: -1000 });
    const october = usd({
      deposits: 5000,
      purchases: { weekPasses: 1000, subscriptions: 0, buyBacks: 0 },
      prizes: 9000,
      withdrawals: 2000,
      result: 8000,
      netDeposits: 4000,
    });
    const euros = { ...usd({ deposits: 700, netDeposits: 700 }), currency: 'EUR' };
    expect(await statement()).toEqual({
      months: [
        { month: '2023-11-01', currencies: [november] },
        { month: '2023-10-01', currencies: [euros, october] },
        { month: '2023-09-01', currencies: [] },
        { month: '2023-08-01', currencies: [] },
      ],
      total: [euros, { ...october, refunds: 1000, result: 9000, netDeposits: 3000 }],
      lifetimeNetDeposits: [
        { amount: 700, currency: 'EUR' },
        { amount: 3000, currency: 'USD' },
      ],
    });
    await system.moveTo('2024-09-15T00:00:00.000Z');
    expect((await statement()).total).toEqual([]);
    expect((await statement('?months=12')).total).toHaveLength(2);
    expect((await statement()).lifetimeNetDeposits).toHaveLength(2);
  });

  it('takes back what was reversed, in the month of that', async () => {
    await bench.paid(player, { amount: 5000 });
    const out = await takeOut(2000n);
    const { transferId: prize } = await new Wallets(system).move(
      { kind: 'promotions', owner: 'house', currency: 'USD' },
      { kind: 'user_available', owner: player.userId, currency: 'USD' },
      300n,
      'prize',
    );
    await system.moveTo('2023-11-02T00:00:00.000Z');
    await reverse(out);
    await reverse(prize);
    const { months, total } = await statement();
    expect(months[0]?.currencies).toEqual([
      usd({ withdrawals: -2000, prizes: -300, result: -300, netDeposits: 2000 }),
    ]);
    expect(total).toEqual([usd({ deposits: 5000, netDeposits: 5000 })]);
  });

  it('counts what a bank took back as refunded, and no more when it gives it again', async () => {
    const id = await bench.paid(player, { amount: 2500 });
    await office.lose(id, 2500);
    expect((await statement()).total).toEqual([usd({ deposits: 2500, refunds: 2500 })]);
    const dispute = { disputeReference: `dispute_${id}`, disputed: { amount: 2500, currency: 'USD' } };
    await bench.send({
      id: `ev_${randomUUID()}`,
      type: 'dispute.funds_reinstated',
      about: 'dispute',
      reference: `bank_${id}`,
      change: { kind: 'funds_reinstated', ...dispute },
    });
    await bench.deliver();
    expect((await statement()).total).toEqual([usd({ deposits: 2500, netDeposits: 2500 })]);
  });

  it('counts what stands aside as paid in, until it has gone back', async () => {
    const id = await bench.begin(player);
    await bench.tell(id, { status: 'succeeded', paid: { amount: 2000, currency: 'USD' } });
    expect((await statement()).total).toEqual([usd({ deposits: 2000, netDeposits: 2000 })]);
  });

  it("is nobody else's", async () => {
    await bench.paid(player);
    const [stranger] = (await make.players(1)) as [Client];
    expect((await statement('', stranger)).total).toEqual([]);
  });

  it('reads what is its own by indexes alone', async () => {
    await bench.paid(player);
    const { rows } = await system.db.query("SELECT prosrc FROM pg_proc WHERE proname = 'ledger_activity'");
    const client = await system.db.connect();
    try {
      await client.query(
        'BEGIN; SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off',
      );
      const sql = String(rows[0].prosrc).replaceAll('p_user', `'${player.userId}'::uuid`);
      const plan = (await client.query(`EXPLAIN ${sql}`)).rows.map((row) => row['QUERY PLAN']).join('\n');
      expect(plan).not.toMatch(/Seq Scan on ledger_(entries|transfers|holds|accounts)/);
      for (const index of [
        'ix_ledger_transfers_payer',
        'ix_ledger_transfers_paid_back',
        'ux_ledger_accounts',
      ])
        expect(plan).toContain(index);
    } finally {
      await client.query('ROLLBACK');
      client.release();
    }
  });
});
