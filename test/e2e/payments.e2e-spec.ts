import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { VerifyService } from '../../src/modules/wallet/verify.service.js';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import { onSandboxPage } from '../support/sandbox-page.js';
import { eventually, type System } from '../support/system.js';

/** From the checkout over the sandbox's own page and its signed webhooks to the wallet, with a worker between. */
describe('paying', () => {
  let system: System;
  let make: Builders;
  let player: Client;

  beforeAll(async () => {
    system = await startSystemWithRules({}, { at: '2023-10-03T12:00:00Z' });
    make = new Builders(system);
  });
  afterAll(async () => system.stop());

  beforeEach(async () => {
    [player] = (await make.players(1)) as [Client];
  });
  afterEach(async () => {
    const { rules } = await system.app.get(VerifyService).verify(null);
    expect(rules.filter(({ problems }) => problems.length > 0)).toEqual([]);
  });

  const deposit = async () =>
    (
      await player.post(
        'wallet/deposits',
        { amount: 2500, currency: 'USD', provider: 'sandbox' },
        { key: randomUUID() },
      )
    ).data;
  const becomes = async (id: string, status: string) =>
    await eventually(async () => {
      const { data } = await player.get(`payments/${id}`);
      return data.status === status && data;
    });
  const balances = async () => (await player.get('wallet')).data.balances;

  it.each(['at_once', 'twice'])('brings the money to the wallet, told %s', async (delivery) => {
    const { paymentId, redirectUrl } = await deposit();
    expect(await balances()).toEqual([{ currency: 'USD', available: 0, held: 0, pending: 2500 }]);
    const { location } = await onSandboxPage(redirectUrl, { outcome: 'pay', delivery });
    expect(location).toBe(`${system.config.APP_URL}/payments/${paymentId}`);
    await becomes(paymentId, 'succeeded');
    expect(await balances()).toEqual([{ currency: 'USD', available: 2500, held: 0, pending: 0 }]);
  });

  it.each(['late', 'out_of_order'])('brings the money to the wallet, told %s', async (delivery) => {
    const { paymentId, redirectUrl } = await deposit();
    await onSandboxPage(redirectUrl, { outcome: 'pay', delivery });
    await system.moveTo(new Date(system.now().getTime() + 60_000));
    await becomes(paymentId, 'succeeded');
    expect(await balances()).toEqual([{ currency: 'USD', available: 2500, held: 0, pending: 0 }]);
  });

  it.each([
    ['decline', 'failed'],
    ['abandon', 'cancelled'],
  ])('or does not: who chooses to %s has a payment that %s', async (outcome, status) => {
    const { paymentId, redirectUrl } = await deposit();
    await onSandboxPage(redirectUrl, { outcome });
    await becomes(paymentId, status);
    expect(await balances()).toEqual([]);
  });

  it('after all brings the money after a decline', async () => {
    const { paymentId, redirectUrl } = await deposit();
    await onSandboxPage(redirectUrl, { outcome: 'decline_then_pay' });
    await becomes(paymentId, 'failed');
    await system.moveTo(new Date(system.now().getTime() + 60_000));
    await becomes(paymentId, 'succeeded');
    expect((await balances())[0].available).toBe(2500);
  });

  it('can be undone by an admin', async () => {
    const { paymentId, redirectUrl } = await deposit();
    await onSandboxPage(redirectUrl, { outcome: 'pay' });
    await becomes(paymentId, 'succeeded');
    const admin = await make.admin();
    const refund = await admin.post(
      `admin/payments/${paymentId}/refund`,
      { amount: 1000, reason: 'Too much' },
      { key: randomUUID() },
    );
    expect(refund.status).toBe(202);
    expect((await becomes(paymentId, 'partially_refunded')).refunded).toEqual({
      amount: 1000,
      currency: 'USD',
    });
    expect((await balances())[0].available).toBe(1500);
  });

  it('tells operators what waits for them', async () => {
    const text = await (await fetch(`${system.url}/metrics`)).text();
    expect(text).toMatch(/parley_payments_attention\{what="differences"\} 0/);
    expect(text).toMatch(/parley_payments_attention\{what="overdue"\} \d+/);
    expect(text).toMatch(/parley_payments_attention_seconds\{what="failing"\} 0/);
  });
});
