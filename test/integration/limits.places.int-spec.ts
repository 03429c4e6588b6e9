import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { OwnLimitsService } from '../../src/modules/compliance/limits/own-limits.service.js';
import type { Place } from '../../src/platform/geo/place.js';
import { DomainError } from '../../src/platform/http/domain-error.js';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { fingerprint } from '../support/fingerprint.js';
import { limitProblems } from '../support/limits.js';
import { PaymentsBench } from '../support/payments.js';
import { leaveAlone } from '../support/proofs.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import type { System } from '../support/system.js';

const START = '2023-10-03T12:00:00.000Z';
const HOUR = 3_600_000;
const HERE: Place = { country: 'US', region: 'CO', anonymous: false };
const SLOWER: Place = { country: 'DE', region: null, anonymous: false };

/** What a place asks for. The players are in one where a limit of deposits has to be set, and raising it takes two days. */
describe('limits of a place', () => {
  let system: System;
  let bench: PaymentsBench;
  let make: Builders;
  let player: Client;

  beforeAll(async () => {
    system = await startSystemWithRules(
      {
        compliance: { limits: { confirmHours: 168, maximum: { deposit: { day: { USD: 9000 } } } } },
        payments: { deposits: { USD: { min: 500, max: 500_000 } } }, // else a maximum has to name every currency
        jurisdictions: {
          version: 'limits',
          countries: {
            US: {
              limits: { waitHours: 48, mandatory: ['deposit'], maximum: { deposit: { day: { USD: 6000 } } } },
            },
            DE: { limits: { waitHours: 168 } },
            FR: { products: ['social'] },
          },
        },
      },
      { worker: false, at: START, env: { GEO_LOCAL_PLACE: 'US-CO' } },
    );
    bench = await PaymentsBench.open(system);
    make = new Builders(system);
  });
  afterAll(async () => bench.close());
  beforeEach(async () => {
    await system.moveTo(START);
    [player] = (await make.players(1)) as [Client];
  });
  afterEach(async () => {
    await bench.deliver();
    expect(await bench.problems()).toEqual([]);
    expect(await limitProblems(system)).toEqual([]);
  });

  const later = async (hours: number) => system.moveTo(new Date(system.now().getTime() + hours * HOUR));
  const set = async (amount: number | undefined, over: object = {}) => {
    const body = { kind: 'deposit', period: 'day', currency: 'USD', amount, ...over };
    return await player.call('PUT', 'compliance/limits', { body });
  };
  const own = () => system.app.get(OwnLimitsService);
  const codeOf = async (work: Promise<unknown>): Promise<string | null> => {
    try {
      await work;
      return null;
    } catch (error) {
      if (error instanceof DomainError) return error.code;
      throw error;
    }
  };

  it('are told where its people are', async () => {
    expect((await player.get('compliance/limits')).data).toEqual({
      limits: [],
      maxima: [{ kind: 'deposit', period: 'day', amount: { amount: 6000, currency: 'USD' } }],
      required: ['deposit'],
      waitHours: 48,
      confirmHours: 168,
    });
  });

  it("let nothing in without one of the user's own, of its kind and currency", async () => {
    await player.get('compliance/limits');
    const before = await fingerprint(system);
    const refused = await bench.checkout(player);
    expect([refused.status, refused.error.code, refused.error.details]).toEqual([
      422,
      'LIMIT_REQUIRED',
      { kind: 'deposit', currency: 'USD' },
    ]);
    expect(await fingerprint(system)).toEqual(before);
    await set(5000, { currency: 'EUR' });
    await set(5000, { kind: 'stake' });
    expect((await bench.checkout(player)).error.code).toBe('LIMIT_REQUIRED');
    await set(50_000, { period: 'month' });
    await bench.paid(player);
    await set(undefined, { period: 'month' });
    expect((await bench.checkout(player, { amount: 500 })).status).toBe(201); // it is in force until it is gone
  });

  it('are the lowest of all three', async () => {
    expect((await set(100_000)).data).toMatchObject({ amount: 100_000, applies: 6000 });
    expect((await bench.checkout(player, { amount: 6001 })).error.details).toMatchObject({ limit: 6000 });
    await bench.paid(player, { amount: 6000 });
    const elsewhere = await own().get(player.userId, SLOWER);
    expect(elsewhere).toMatchObject({
      required: [],
      waitHours: 168,
      limits: [{ applies: 9000, available: 3000 }],
    });
  });

  it('wait as long as the place says', async () => {
    const { id } = (await set(1000)).data;
    await set(2000);
    await later(47.9);
    expect((await player.post(`compliance/limits/${id}/confirm`)).error.code).toBe('LIMIT_STILL_WAITING');
    await later(0.2);
    expect((await player.post(`compliance/limits/${id}/confirm`)).data.amount).toBe(2000);
  });

  it.each([
    ['confirmed where the wait is longer', HERE, SLOWER],
    ['confirmed where it is shorter', SLOWER, HERE],
  ])('wait the longer time when they are asked for elsewhere than %s', async (_, asked, confirmed) => {
    const body = { kind: 'deposit', period: 'day', currency: 'USD' } as const;
    const { id } = await own().set(player.userId, asked, { ...body, amount: 1000 });
    await own().set(player.userId, asked, { ...body, amount: 2000 });
    await later(167.9);
    expect(await codeOf(own().confirm(player.userId, confirmed, id))).toBe('LIMIT_STILL_WAITING');
    await later(0.2);
    expect((await own().confirm(player.userId, confirmed, id)).amount).toBe(2000);
  });

  /** A subscription is begun, \`between\` happens, and its renewal is charged: what became of it. */
  async function renewed(between: () => Promise<unknown>): Promise<unknown[]> {
    const id = await bench.begin(player, { purpose: 'subscription', amount: undefined });
    await bench.tell(id, { status: 'succeeded', periodEnd: '2023-11-03T12:00:00Z' });
    await between();
    await system.moveTo('2023-11-03T12:00:00Z');
    await bench.send({
      id: `ev_renewal_${id}`,
      type: 'subscription.renewed',
      about: 'subscription',
      reference: `invoice_renewal_${id}`,
      change: {
        kind: 'renewed',
        subscriptionReference: `sub_${id}`,
        paid: { amount: 3500, currency: 'USD' },
        periodEnd: '2023-12-03T12:00:00Z',
      },
    });
    await bench.deliver();
    const { rows } = await system.db.query(
      `SELECT p.status, p.review, p.place, s.status AS subscription FROM payments p JOIN subscriptions s ON s.id = p.subscription_id
       WHERE p.user_id = $1 AND p.id <> $2`,
      [player.userId, id],
    );
    return rows;
  }

  it('hold for renewals as where the subscription was begun, and end it when it lacks what they ask for', async () => {
    const { id: limitId } = (await set(6000, { period: 'month' })).data;
    const rows = await renewed(async () => {
      await set(undefined, { period: 'month' });
      await later(49);
      expect((await player.post(`compliance/limits/${limitId}/confirm`)).status).toBe(200);
    });
    expect(rows).toEqual([
      { status: 'refunded', review: 'LIMIT_REQUIRED', place: 'US-CO', subscription: 'cancelled' },
    ]);
  });

  it('end a subscription, and give its money back, when its place no longer allows it', async () => {
    await set(6000, { period: 'month' });
    const rows = await renewed(
      async () =>
        await system.db.query(`UPDATE payments SET place = 'FR' WHERE user_id = $1`, [player.userId]),
    );
    expect(rows).toEqual([
      { status: 'refunded', review: 'GEO_BLOCKED', place: 'FR', subscription: 'cancelled' },
    ]);
  });

  it('end a subscription of who turns out to be too young', async () => {
    await set(6000, { period: 'month' });
    const rows = await renewed(
      async () =>
        await system.db.query(`UPDATE users SET birth_date = '2006-01-01' WHERE id = $1`, [player.userId]),
    );
    expect(rows).toEqual([
      { status: 'refunded', review: 'UNDER_AGE', place: 'US-CO', subscription: 'cancelled' },
    ]);
  });

  it('are set, lowered and kept by a session that nobody has used for a while; more asks for a proof', async () => {
    await leaveAlone(system, player, 401 * 86_400);
    const { id } = (await set(1000)).data;
    await set(2000);
    await later(49);
    expect((await player.post(`compliance/limits/${id}/confirm`)).error.code).toBe(
      'REAUTHENTICATION_REQUIRED',
    );
    expect((await player.call('DELETE', `compliance/limits/${id}/request`)).status).toBe(200);
    expect((await set(500)).data).toMatchObject({ amount: 500, request: null });
  });
});
