import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ChecksService } from '../../src/modules/payments/checks.service.js';
import { AirtelServer } from '../support/airtel-server.js';
import type { Client } from '../support/client.js';
import { MomoServer, type MomoTransaction } from '../support/momo-server.js';
import { PaymentsBench, START } from '../support/payments.js';
import { proveAgain } from '../support/proofs.js';

const PHONE = '+256772123456';
const AIRTEL_PHONE = '+256752604392';
const AMOUNT = 37_000;

/** What the stand-ins refuse a client that has made no mistake: it asks again, and asks about what never came. */
const PART_OF_THE_PROTOCOL = new Set([
  'Duplicated reference id. Creation of resource failed.',
  'Requested resource was not found.',
  'a transaction with this id is there already',
  'no such transaction',
]);

/** From our own API over both adapters to the stand-ins and back to the wallet, wired as the configuration has it. */
describe('paying by mobile money', () => {
  let momo: MomoServer;
  let airtel: AirtelServer;
  let bench: PaymentsBench;
  let admin: Client;
  let player: Client;

  beforeAll(async () => {
    momo = await new MomoServer('mtnuganda', 'UGX').start();
    airtel = await new AirtelServer().start();
    const env = { ...momo.env, ...airtel.env };
    bench = await PaymentsBench.start({}, env);
    admin = await bench.make.admin();
  });
  afterAll(async () => {
    await bench.close();
    await momo.stop();
    await airtel.stop();
  });

  beforeEach(async () => {
    await bench.system.moveTo(START);
    momo.reset();
    momo.float = 1_000_000;
    airtel.reset();
    [player] = (await bench.make.players(1)) as [Client];
  });
  afterEach(async () => {
    await bench.deliver();
    expect(await bench.problems()).toEqual([]);
    expect([...momo.problems, ...airtel.problems].filter((each) => !PART_OF_THE_PROTOCOL.has(each))).toEqual(
      [],
    );
  });

  const PROVIDERS = {
    'mtn-momo': {
      phone: PHONE,
      callback: () => Buffer.from(momo.callbackOf(momo.only)),
      asked: () => momo.transactions.size,
    },
    'airtel-money': {
      phone: AIRTEL_PHONE,
      callback: () => airtel.callbackOf(airtel.only, 'body').rawBody,
      asked: () => airtel.transactions.size,
    },
  };
  type Name = keyof typeof PROVIDERS;
  const names = Object.keys(PROVIDERS) as Name[];

  const begin = async (provider: Name, key?: string) =>
    await bench.checkout(
      player,
      { amount: AMOUNT, currency: 'UGX', provider, phone: PROVIDERS[provider].phone },
      key,
    );
  const callBack = async (
    provider: Name,
    body: Buffer | string = PROVIDERS[provider].callback(),
    method: 'POST' | 'PUT' = 'POST',
  ): Promise<number> => {
    const answer = await fetch(`${bench.system.url}/api/v1/payments/webhooks/${provider}`, {
      method,
      headers: { 'Content-Type': 'application/json' },
      body: new Uint8Array(Buffer.from(body)),
    });
    await answer.body?.cancel();
    return answer.status;
  };
  const stateOf = async (id: string) => (await player.get(`payments/${id}`)).data;
  const inUgx = async () => await bench.available(player, 'UGX');
  const checkAfter = async (minutes: number) => {
    await bench.system.moveTo(new Date(bench.system.now().getTime() + minutes * 60_000));
    await bench.system.app.get(ChecksService).run();
    await bench.deliver();
  };

  describe.each(names)('at %s', (provider) => {
    it('is confirmed on the telephone, told by a callback that proves nothing, and booked once', async () => {
      const { status, data } = await begin(provider);
      expect([status, data.redirectUrl]).toEqual([201, null]);
      expect([(await stateOf(data.paymentId)).status, await inUgx()]).toEqual(['pending', 0]);
      const statuses = await Promise.all(Array.from({ length: 50 }, () => callBack(provider)));
      expect(new Set(statuses)).toEqual(new Set([200]));
      await bench.deliver();
      expect([(await stateOf(data.paymentId)).status, await inUgx()]).toEqual(['succeeded', AMOUNT]);
    });

    it('is told by a callback of the other method too', async () => {
      const { data } = await begin(provider);
      expect(await callBack(provider, undefined, 'PUT')).toBe(200);
      await bench.deliver();
      expect([(await stateOf(data.paymentId)).status, await inUgx()]).toEqual(['succeeded', AMOUNT]);
    });

    it('is found by asking where no callback comes', async () => {
      const { data } = await begin(provider);
      await checkAfter(16);
      expect([(await stateOf(data.paymentId)).status, await inUgx()]).toEqual(['succeeded', AMOUNT]);
    });

    it('whose answer was lost is asked of the payer once', async () => {
      (provider === 'mtn-momo' ? momo : airtel).moods = ['accept-and-break'];
      const key = randomUUID();
      const lost = await begin(provider, key);
      expect([lost.status, lost.error.code]).toEqual([503, 'PROVIDER_UNAVAILABLE']);
      const { status, data } = await begin(provider, key);
      expect([status, PROVIDERS[provider].asked()]).toEqual([201, 1]);
      await callBack(provider);
      await bench.deliver();
      expect([(await stateOf(data.paymentId)).status, await inUgx()]).toEqual(['succeeded', AMOUNT]);
    });

    it('needs the number', async () => {
      const { status, error } = await bench.checkout(player, { amount: AMOUNT, currency: 'UGX', provider });
      expect([status, error.code]).toEqual([422, 'PHONE_REQUIRED']);
    });
  });

  it('is not booked on the word of whoever calls back', async () => {
    const { data } = await begin('mtn-momo');
    momo.only.status = 'PENDING';
    const forged = {
      ...(JSON.parse(momo.callbackOf(momo.only)) as object),
      status: 'SUCCESSFUL',
      amount: '5000000',
    };
    expect(await callBack('mtn-momo', JSON.stringify(forged))).toBe(200);
    await bench.deliver();
    expect([(await stateOf(data.paymentId)).status, await inUgx()]).toEqual(['pending', 0]);
    expect(await callBack('airtel-money', JSON.stringify({ transaction: { id: data.paymentId } }))).toBe(401);
  });

  it('is not booked as ordered when another amount was paid', async () => {
    const { data } = await begin('mtn-momo');
    Object.assign((momo.only as { body: MomoTransaction['body'] }).body, { amount: '370' });
    await callBack('mtn-momo');
    await bench.deliver();
    expect(await inUgx()).not.toBe(AMOUNT);
    expect((await stateOf(data.paymentId)).status).not.toBe('pending');
  });

  it('that the payer declines brings nothing', async () => {
    const { data } = await begin('mtn-momo');
    Object.assign(momo.only, { status: 'FAILED', reason: 'APPROVAL_REJECTED' });
    await callBack('mtn-momo');
    await bench.deliver();
    expect(await stateOf(data.paymentId)).toMatchObject({ status: 'failed' });
    expect(await inUgx()).toBe(0);
  });

  it('is refunded whole by Airtel, and in no parts', async () => {
    const { data } = await begin('airtel-money');
    await callBack('airtel-money');
    await bench.deliver();
    const refund = async (amount: number) => {
      const body = { amount, reason: 'asked for by the payer' };
      await admin.post(`admin/payments/${data.paymentId}/refund`, body, { key: randomUUID() });
      await bench.deliver();
    };
    await refund(AMOUNT - 1);
    expect([(await stateOf(data.paymentId)).status, airtel.only.refunded]).toEqual(['succeeded', false]);
    await refund(AMOUNT);
    expect([(await stateOf(data.paymentId)).status, airtel.only.refunded]).toEqual(['refunded', true]);
  });

  it('is refunded in parts by MTN', async () => {
    const { data } = await begin('mtn-momo');
    await callBack('mtn-momo');
    await bench.deliver();
    for (const amount of [7000, 30_000]) {
      const body = { amount, reason: 'Asked for it' };
      await proveAgain(bench.system, admin);
      await admin.post(`admin/payments/${data.paymentId}/refund`, body, { key: randomUUID() });
      await bench.deliver();
      await checkAfter(16);
    }
    expect(await stateOf(data.paymentId)).toMatchObject({ status: 'refunded', refunded: { amount: AMOUNT } });
    expect([await inUgx(), momo.float]).toEqual([0, 1_000_000 - AMOUNT]);
  });

  it('leaves nobody’s number with the money', async () => {
    await begin('mtn-momo');
    await callBack('mtn-momo');
    await begin('airtel-money');
    await callBack('airtel-money');
    await bench.deliver();
    expect(await inUgx()).toBe(2 * AMOUNT);
    for (const table of [
      'ledger_transfers',
      'ledger_entries',
      'ledger_accounts',
      'payments',
      'audit_log',
      'outbox',
    ]) {
      const { rows } = await bench.system.db.query(
        `SELECT * FROM ${table} t WHERE t::text ~ '772123456|752604392'`,
      );
      expect([table, rows]).toEqual([table, []]);
    }
  });
});
