import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { io } from 'socket.io-client';
import { ComplianceService } from '../../src/modules/compliance/compliance.service.js';
import { PayoutsService } from '../../src/modules/payments/withdrawals/payouts.service.js';
import type { ProviderState } from '../../src/modules/payments/provider.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { Builders, PASSWORD } from '../support/builders.js';
import { CapturedMails } from '../support/captured-mails.js';
import type { Answer, Client } from '../support/client.js';
import { known } from '../support/kyc.js';
import { proveAgain } from '../support/proofs.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import { SignUps } from '../support/sign-ups.js';
import { someone } from '../support/staff.js';
import { eventually, type System } from '../support/system.js';
import { Wallets } from '../support/wallets.js';
import { brokenMoney, moneyOf, untilIs, withdraw } from '../support/withdrawals.js';

const codeOf = ({ status, error }: Answer) => (status < 300 ? 'ok' : error.code);

/** Money out of wallets, by the sandbox, with a worker that runs. */
describe('withdrawals', () => {
  let system: System;
  let make: Builders;
  let wallets: Wallets;
  let mails: CapturedMails;

  beforeAll(async () => {
    system = await startSystemWithRules({}, { at: '2023-10-03T12:00:00Z' });
    make = new Builders(system);
    wallets = new Wallets(system);
    mails = new CapturedMails(system);
  });
  afterAll(async () => system.stop());

  afterEach(async () => {
    expect(await brokenMoney(system)).toEqual([]);
  });

  /** Somebody with a wallet, whose identity is known. */
  async function rich(amount = 100_000): Promise<Client> {
    const [client] = (await make.players(1)) as [Client];
    await wallets.deposit(client, BigInt(amount));
    await known(system, client);
    return client;
  }

  const later = (ms: number) => system.moveTo(new Date(system.now().getTime() + ms));
  const settle = async (id: string, state: Partial<ProviderState>) =>
    await system.app.get(UnitOfWork).run((manager) =>
      system.app.get(PayoutsService, { strict: false }).settle(manager, id, {
        providerReference: 'sbx_po_told',
        status: 'succeeded',
        paid: null,
        failureCode: null,
        ...state,
      }),
    );

  it('hold the money at once, pay it out and tell so, on sockets and by mail', async () => {
    const client = await rich();
    const socket = io(`${system.url}/notifications`, {
      auth: { token: client.token },
      transports: ['websocket'],
    });
    const told: object[] = [];
    socket.on('withdrawal:updated', (payload: object) => told.push(payload));
    await new Promise<void>((resolve) => socket.on('connect', resolve));

    const { status, data } = await withdraw(client);
    expect([status, data]).toEqual([
      201,
      {
        id: expect.any(String),
        amount: 5000,
        currency: 'USD',
        provider: 'sandbox',
        destination: '…paid',
        status: 'approved',
        failureCode: null,
        requestedAt: expect.any(String),
        decidedAt: expect.any(String),
        settledAt: null,
      },
    ]);
    const row = await untilIs(system, data.id, 'paid');
    expect(row.provider_reference).toMatch(/^sbx_po_/);
    expect(await moneyOf(client)).toEqual([95_000, 0]);
    await eventually(async () => Promise.resolve(told.length === 2));
    expect(told).toEqual([
      { id: data.id, status: 'requested' },
      { id: data.id, status: 'paid' },
    ]);
    socket.close();
    const { rows } = await system.db.query('SELECT email FROM users WHERE id = $1', [client.userId]);
    const subjects = () => mails.sent.filter(({ to }) => to === rows[0].email).map(({ subject }) => subject);
    await eventually(async () => Promise.resolve(subjects().length === 2));
    expect(subjects().toSorted()).toEqual([
      'A withdrawal from your wallet was requested',
      'Your withdrawal was paid',
    ]);
    expect((await client.get('wallet/withdrawals')).data).toMatchObject([{ id: data.id, status: 'paid' }]);
    expect(row.destination?.toString('latin1')).not.toContain('sandbox:paid');
  });

  it('are paid when the provider tells so later, by its webhook', async () => {
    const client = await rich();
    const { data } = await withdraw(client, { destination: 'acct_of_mine' });
    await untilIs(system, data.id, 'paid');
    expect(await moneyOf(client)).toEqual([95_000, 0]);
  });

  it.each(['sandbox:failed', 'sandbox:pending_failed'])(
    'give the money back when %s is what the provider says',
    async (destination) => {
      const client = await rich();
      const { data } = await withdraw(client, { destination });
      expect(await moneyOf(client).then(([available]) => available)).toBeGreaterThanOrEqual(95_000);
      const row = await untilIs(system, data.id, 'failed');
      expect(row.failure_code).toBe('account_closed');
      expect(await moneyOf(client)).toEqual([100_000, 0]);
    },
  );

  it.each([
    ['sandbox:lost_paid', 'paid', 95_000],
    ['sandbox:lost_failed', 'failed', 100_000],
  ])('ask what became of a payout whose answer was lost: %s', async (destination, status, left) => {
    const client = await rich();
    const { data } = await withdraw(client, { destination });
    await untilIs(system, data.id, status);
    expect(await moneyOf(client)).toEqual([left, 0]);
    const { rows } = await system.db.query(
      'SELECT count(*)::int AS n FROM sandbox_payouts WHERE merchant_reference = $1',
      [data.id],
    );
    expect(rows[0].n).toBe(1);
  });

  it('stay held while nobody knows', async () => {
    const client = await rich();
    const { data } = await withdraw(client, { destination: 'sandbox:outage' });
    const row = await eventually(async () => {
      const found = await untilIs(system, data.id, 'paying');
      return found.checks > 2 && found;
    });
    expect(row.settled_at).toBeNull();
    expect(await moneyOf(client)).toEqual([95_000, 5000]);
    await settle(data.id, { status: 'failed' });
    expect(await moneyOf(client)).toEqual([100_000, 0]);
  });

  it('asked for twice at once by one key are one, by two are two', async () => {
    const client = await rich();
    const key = randomUUID();
    const same = await Promise.all(Array.from({ length: 30 }, () => withdraw(client, {}, key)));
    expect(new Set(same.map(({ data }) => data.id)).size).toBe(1);
    expect(same.filter(({ headers }) => headers.get('idempotent-replayed') === 'true')).toHaveLength(29);
    expect(codeOf(await withdraw(client, { amount: 5001 }, key))).toBe('IDEMPOTENCY_KEY_REUSED');
    await withdraw(client);
    for (const { id } of (await client.get('wallet/withdrawals')).data) await untilIs(system, id, 'paid');
    expect(await moneyOf(client)).toEqual([90_000, 0]);
  });

  it('of a whole balance, fifty at once, are one', async () => {
    const client = await rich();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => withdraw(client, { amount: 100_000 })),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    const refused = new Set(answers.filter(({ status }) => status !== 201).map(codeOf));
    expect([...refused]).toEqual(['INSUFFICIENT_FUNDS']);
    await untilIs(system, answers.find(({ status }) => status === 201)!.data.id, 'paid');
    expect(await moneyOf(client)).toEqual([0, 0]);
  });

  it('are refused, with nothing changed, for what cannot be', async () => {
    const client = await rich(10_000);
    const refusals = [
      [{ amount: 10_001 }, 'INSUFFICIENT_FUNDS'],
      [{ amount: 999 }, 'AMOUNT_OUT_OF_RANGE'],
      [{ amount: 1_000_001 }, 'AMOUNT_OUT_OF_RANGE'],
      [{ currency: 'JPY' }, 'CURRENCY_NOT_TAKEN'],
      [{ currency: 'EUR' }, 'INSUFFICIENT_FUNDS'],
      [{ provider: 'nobody' }, 'PAYMENT_PROVIDER_UNKNOWN'],
      [{ destination: 'a b' }, 'VALIDATION_FAILED'],
      [{ amount: -5000 }, 'VALIDATION_FAILED'],
      [{ amount: 5000.5 }, 'VALIDATION_FAILED'],
    ] as const;
    for (const [over, code] of refusals)
      expect([over, codeOf(await withdraw(client, over))]).toEqual([over, code]);
    expect(await moneyOf(client)).toEqual([10_000, 0]);
    expect((await client.get('wallet/withdrawals')).data).toEqual([]);
  });

  it('ask for a recent proof', async () => {
    const client = await rich();
    await later(11 * 60_000);
    expect(codeOf(await withdraw(client))).toBe('PROOF_TOO_OLD');
    expect(await moneyOf(client)).toEqual([100_000, 0]);
    await proveAgain(system, client);
    expect(codeOf(await withdraw(client))).toBe('ok');
  });

  it('wait a day after a new password, and not after the first one', async () => {
    const { client } = await new SignUps(system, 'cooling').open();
    await wallets.deposit(client, 100_000n);
    expect(codeOf(await withdraw(client))).toBe('ok');
    await later(2 * 60_000);
    const changed = await client.post('auth/password/change', {
      currentPassword: PASSWORD,
      newPassword: 'staple battery horse',
    });
    expect(codeOf(changed)).toBe('ok');
    const at = system.now().getTime();
    const refused = await withdraw(client);
    expect(codeOf(refused)).toBe('WITHDRAWAL_COOLING_OFF');
    const until = Date.parse(String(refused.error.details['until'])) - at - 86_400_000;
    expect(Math.abs(until)).toBeLessThan(5000);
    await later(86_400_000 + 5000);
    await proveAgain(system, client);
    expect(codeOf(await withdraw(client))).toBe('ok');
  });

  it('are not stopped by an exclusion or a time-out', async () => {
    const client = await rich();
    await client.post('compliance/time-out', { days: 1 });
    expect(codeOf(await withdraw(client))).toBe('ok');
    await system.app.get(ComplianceService).exclude(client.userId, null);
    const { data } = await withdraw(client);
    await untilIs(system, data.id, 'paid');
    expect((await client.get('compliance/status')).data.mayStake).toBe(false);
  });

  it('settled by the provider fifty times at once are captured once', async () => {
    const client = await rich();
    const { data } = await withdraw(client, { destination: 'sandbox:pending_failed' });
    await untilIs(system, data.id, 'paying', 'failed');
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, n) => settle(data.id, { status: n % 2 === 0 ? 'failed' : 'pending' })),
    );
    expect(outcomes).toContain('stale');
    await untilIs(system, data.id, 'failed');
    expect(await moneyOf(client)).toEqual([100_000, 0]);
    expect(await settle(data.id, { status: 'succeeded' })).toBe('review');
    expect(await moneyOf(client)).toEqual([100_000, 0]);
    const { rows } = await system.db.query('SELECT status, review FROM withdrawals WHERE id = $1', [data.id]);
    expect(rows).toEqual([{ status: 'failed', review: 'paid_unasked' }]);
  });

  it('that come back from the bank are available again, once', async () => {
    const client = await rich();
    const { data } = await withdraw(client);
    await untilIs(system, data.id, 'paid');
    expect(await settle(data.id, { status: 'succeeded' })).toBe('stale');
    const back = await Promise.all(
      Array.from({ length: 20 }, () => settle(data.id, { status: 'failed', failureCode: 'returned' })),
    );
    expect(back.filter((outcome) => outcome === 'applied')).toHaveLength(1);
    await untilIs(system, data.id, 'returned');
    expect(await moneyOf(client)).toEqual([100_000, 0]);
    expect(await settle(data.id, { status: 'succeeded' })).toBe('stale');
  });

  it('paid as something else than was ordered are left to an operator', async () => {
    const client = await rich();
    const { data } = await withdraw(client, { destination: 'sandbox:outage' });
    await untilIs(system, data.id, 'paying');
    for (const paid of [
      { amount: 4999n, currency: 'USD' },
      { amount: 5000n, currency: 'EUR' },
    ])
      expect(await settle(data.id, { paid })).toBe('review');
    expect(await moneyOf(client)).toEqual([95_000, 5000]);
    await settle(data.id, { status: 'failed' });
    expect(await settle(randomUUID(), {})).toBe('unknown');
  });

  describe('above the threshold', () => {
    let admins: Client[];

    beforeAll(async () => {
      admins = [await someone(system, make, 'admin'), await someone(system, make, 'compliance')];
    });

    const decide = (by: Client, id: string, decision: string) =>
      by.post(`admin/withdrawals/${id}/decide`, { decision, note: 'Identity checked' });

    it('wait for an operator, whose yes pays them', async () => {
      const client = await rich(500_000);
      const { data } = await withdraw(client, { amount: 200_001 });
      expect(data.status).toBe('requested');
      expect(await moneyOf(client)).toEqual([299_999, 200_001]);
      const { data: waiting } = await admins[1]!.get('admin/withdrawals');
      expect(waiting).toMatchObject([
        { id: data.id, userId: client.userId, amount: 200_001, decidedBy: null },
      ]);
      const decided = await decide(admins[1]!, data.id, 'approve');
      expect(decided.data).toMatchObject({
        status: 'approved',
        decidedBy: admins[1]!.userId,
        note: 'Identity checked',
      });
      await untilIs(system, data.id, 'paid');
      expect((await admins[0]!.get('admin/withdrawals')).data).toEqual([]);
      expect(codeOf(await decide(admins[0]!, data.id, 'reject'))).toBe('WITHDRAWAL_ALREADY_DECIDED');
      expect(await moneyOf(client)).toEqual([299_999, 0]);
    });

    it('wait below it too, when money of theirs is disputed', async () => {
      const client = await rich();
      await system.db.query(
        `INSERT INTO payments (id, user_id, purpose, amount, currency, provider, status, dispute, paid_amount, paid_currency,
                               paid_to_kind, paid_to_owner, created_at, confirmed_at)
         VALUES ($1, $2, 'deposit', 5000, 'USD', 'sandbox', 'disputed', 'open', 5000, 'USD', 'user_available', $3, $4, $4)`,
        [randomUUID(), client.userId, client.userId, system.now()],
      );
      const { data } = await withdraw(client);
      expect(data.status).toBe('requested');
      await decide(admins[1]!, data.id, 'reject');
    });

    /** Bans, or lifts, as the standing of a user is changed: with their row locked. */
    const ban = async ({ userId }: Client, until: string | null = null) =>
      system.db.query(
        "UPDATE users SET status = 'banned', banned_until = $2, ban_reason = 'fraud' WHERE id = $1",
        [userId, until],
      );
    const payouts = async (id: string): Promise<number> => {
      const { rows } = await system.db.query(
        'SELECT count(*)::int AS n FROM sandbox_payouts WHERE merchant_reference = $1',
        [id],
      );
      return rows[0].n;
    };

    it('and then banned before they are paid wait again, held, for an operator who knows', async () => {
      for (const decision of ['approve', 'reject']) {
        const client = await rich(500_000);
        const { data } = await withdraw(client, { amount: 300_000 });
        await ban(client);
        await decide(admins[1]!, data.id, 'approve'); // without having seen it
        const row = await eventually(async () => {
          const found = await untilIs(system, data.id, 'requested');
          return found.review !== null && found;
        });
        expect([row.review, row.decided_at, row.decided_by, await payouts(data.id)]).toEqual([
          'banned',
          null,
          null,
          0,
        ]);
        expect((await admins[1]!.get('admin/withdrawals?review=open')).data).toContainEqual(
          expect.objectContaining({ id: data.id, review: 'banned' }),
        );
        expect(await brokenMoney(system)).toEqual([]);
        expect(codeOf(await decide(admins[1]!, data.id, decision))).toBe('ok');
        const settled = await untilIs(system, data.id, decision === 'approve' ? 'paid' : 'rejected');
        expect([settled.review, await payouts(data.id)]).toEqual([null, decision === 'approve' ? 1 : 0]);
      }
    });

    it('paid while their owner is being banned are paid, or held back; never both, and never lost', async () => {
      const client = await rich(500_000);
      const ids: string[] = [];
      for (let n = 0; n < 4; n += 1) ids.push((await withdraw(client, { amount: 100_000 })).data.id);
      const open = ids.slice(2); // the first two are paid by the rules
      const [approved] = await Promise.all([
        Promise.all(open.map((id) => decide(admins[1]!, id, 'approve'))),
        ban(client),
      ]);
      expect(approved.map(codeOf)).toEqual(['ok', 'ok']);
      for (const id of open) {
        const row = await eventually(async () => {
          const found = await untilIs(system, id, 'requested', 'paid');
          return (found.status === 'paid' || found.review !== null) && found;
        });
        expect(await payouts(id)).toBe(row.status === 'paid' ? 1 : 0);
        if (row.status === 'requested') await decide(admins[1]!, id, 'reject');
      }
    });

    it('of who is excluded, or whose ban is over, are paid', async () => {
      const [excluded, over] = [await rich(500_000), await rich(500_000)];
      const asked = [];
      for (const client of [excluded, over])
        asked.push((await withdraw(client, { amount: 300_000 })).data.id);
      await system.app.get(ComplianceService).exclude(excluded.userId, null);
      await ban(over, '2023-10-03T12:00:00Z');
      for (const id of asked) {
        await decide(admins[1]!, id, 'approve');
        expect((await untilIs(system, id, 'paid')).review).toBeNull();
      }
    });

    it('that do not fit are closed by an operator, once', async () => {
      const client = await rich();
      const { data } = await withdraw(client, { destination: 'sandbox:failed' });
      await untilIs(system, data.id, 'failed');
      expect(await settle(data.id, { status: 'succeeded' })).toBe('review');
      const metrics = async () => (await fetch(`${system.url}/metrics`)).text();
      await later(3_600_000);
      expect(await metrics()).toMatch(/parley_withdrawals_waiting\{what="review"\} [1-9]/);
      expect(await metrics()).toMatch(/parley_withdrawals_waiting_seconds\{what="review"\} 3[6-9]\d\d/);
      await proveAgain(system, admins[0]!);
      const resolve = async () => codeOf(await admins[0]!.post(`admin/withdrawals/${data.id}/resolve`, {}));
      expect([await resolve(), await resolve()]).toEqual(['ok', 'WITHDRAWAL_NOT_IN_REVIEW']);
      expect((await admins[0]!.get('admin/withdrawals?review=open')).data).not.toContainEqual(
        expect.objectContaining({ id: data.id }),
      );
      await proveAgain(system, admins[1]!);
    });

    it('go back to the wallet by an operator’s no', async () => {
      const client = await rich(500_000);
      const { data } = await withdraw(client, { amount: 300_000 });
      expect((await decide(admins[0]!, data.id, 'reject')).data.status).toBe('rejected');
      expect(await moneyOf(client)).toEqual([500_000, 0]);
      expect(codeOf(await decide(admins[1]!, data.id, 'approve'))).toBe('WITHDRAWAL_ALREADY_DECIDED');
    });

    it('are decided once, by whichever of two operators is first', async () => {
      const client = await rich(3_000_000);
      for (let round = 0; round < 5; round += 1) {
        const { data } = await withdraw(client, { amount: 300_000 });
        const answers = await Promise.all(
          Array.from({ length: 10 }, (_, n) =>
            decide(admins[n % 2]!, data.id, n % 2 === 0 ? 'approve' : 'reject'),
          ),
        );
        const [first] = answers.filter(({ status }) => status === 200);
        expect(answers.map(codeOf).toSorted()).toEqual([
          ...Array(9).fill('WITHDRAWAL_ALREADY_DECIDED'),
          'ok',
        ]);
        await untilIs(system, data.id, first!.data.status === 'approved' ? 'paid' : 'rejected');
      }
    });

    it('are counted together, also those that are asked for at once', async () => {
      const client = await rich(1_000_000);
      const answers = await Promise.all(
        Array.from({ length: 4 }, () => withdraw(client, { amount: 100_000 })),
      );
      expect(answers.map(({ data }) => String(data.status)).toSorted()).toEqual([
        'approved',
        'approved',
        'requested',
        'requested',
      ]);
      for (const { data } of answers)
        if (data.status === 'requested') await decide(admins[0]!, data.id, 'reject');
        else await untilIs(system, data.id, 'paid');
      await later(31 * 86_400_000);
      await proveAgain(system, client);
      await proveAgain(system, admins[0]!);
      await proveAgain(system, admins[1]!);
      const { data } = await withdraw(client, { amount: 200_000 });
      expect(data.status).toBe('approved');
      await untilIs(system, data.id, 'paid');
    });

    it('are not the operator’s own, and not decided on an old proof', async () => {
      await wallets.deposit(admins[0]!, 500_000n);
      await known(system, admins[0]!);
      const { data } = await withdraw(admins[0]!, { amount: 300_000 });
      expect(codeOf(await decide(admins[0]!, data.id, 'approve'))).toBe('WITHDRAWAL_OWN');
      expect(codeOf(await decide(admins[1]!, randomUUID(), 'approve'))).toBe('WITHDRAWAL_NOT_FOUND');
      await later(11 * 60_000);
      expect(codeOf(await decide(admins[1]!, data.id, 'approve'))).toBe('PROOF_TOO_OLD');
      await proveAgain(system, admins[1]!);
      expect(codeOf(await decide(admins[1]!, data.id, 'reject'))).toBe('ok');
    });

    it('are five at most that are under way', async () => {
      const client = await rich(3_000_000);
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => withdraw(client, { amount: 250_000 })),
      );
      const open = answers.filter(({ status }) => status === 201);
      expect(open).toHaveLength(5);
      expect(new Set(answers.filter(({ status }) => status !== 201).map(codeOf))).toEqual(
        new Set(['TOO_MANY_OPEN_WITHDRAWALS']),
      );
      const pages: string[] = [];
      for (let cursor = ''; ;) {
        const { data, body } = await client.get(`wallet/withdrawals?limit=2${cursor}`);
        pages.push(...data.map(({ id }: { id: string }) => id));
        if (body.meta.pagination.nextCursor === null) break;
        cursor = `&cursor=${body.meta.pagination.nextCursor}`;
      }
      expect(pages.toSorted()).toEqual(open.map(({ data }) => String(data.id)).toSorted());
      for (const { data } of open) await decide(admins[0]!, data.id, 'reject');
    });
  });
});
