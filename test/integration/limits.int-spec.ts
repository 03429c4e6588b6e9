import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { BookingKind } from '../../src/modules/compliance/limits/domain/limit-check.js';
import { LimitsService } from '../../src/modules/compliance/limits/limits.service.js';
import { JurisdictionsService } from '../../src/modules/compliance/jurisdictions.service.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { DomainError } from '../../src/platform/http/domain-error.js';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { fingerprint } from '../support/fingerprint.js';
import { limitProblems } from '../support/limits.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import type { System } from '../support/system.js';

const COLORADO = { country: 'US', region: 'CO', anonymous: false };

const START = '2023-10-03T12:00:00.000Z';
const HOUR = 3_600_000;

describe('limits', () => {
  let system: System;
  let make: Builders;
  let player: Client;
  let limits: LimitsService;
  let count = 0;

  beforeAll(async () => {
    system = await startSystemWithRules(
      { compliance: { limits: { confirmHours: 168, maximum: { stake: { day: { EUR: 700 } } } } } },
      { worker: false, at: START },
    );
    make = new Builders(system);
    limits = system.app.get(LimitsService);
  });
  afterAll(async () => system.stop());
  beforeEach(async () => {
    await system.moveTo(START);
    [player] = (await make.players(1)) as [Client];
  });
  afterEach(async () => expect(await limitProblems(system)).toEqual([]));

  const later = async (hours: number) => system.moveTo(new Date(system.now().getTime() + hours * HOUR));
  const set = async (amount: number | undefined, over: object = {}) =>
    await player.call('PUT', 'compliance/limits', {
      body: { kind: 'deposit', period: 'day', currency: 'USD', amount, ...over },
    });
  const own = async () => (await player.get('compliance/limits')).data.limits;
  const changes = async () =>
    (
      await system.db.query(
        'SELECT event, amount::int, requested_amount::int AS asked FROM limit_changes WHERE user_id = $1 ORDER BY at, id',
        [player.userId],
      )
    ).rows.map(({ event, amount, asked }) => [event, amount, asked]);
  const nextReference = () => `test:${(count += 1)}`;
  const inTransaction = async <T>(work: (manager: Parameters<LimitsService['count']>[0]) => Promise<T>) =>
    await system.app.get(UnitOfWork).run(work);

  /** Lets money through, which comes at once unless told otherwise; the code of the refusal, or null. */
  async function book(
    amount: number,
    {
      kind = 'deposit',
      currency = 'USD',
      comes = true,
      reference = nextReference(),
    }: {
      kind?: BookingKind;
      currency?: string;
      comes?: boolean;
      reference?: string;
    } = {},
  ): Promise<DomainError | null> {
    try {
      await inTransaction(async (manager) => {
        await limits.book(manager, {
          userId: player.userId,
          kind,
          money: { amount: BigInt(amount), currency },
          reference,
          jurisdiction: system.app.get(JurisdictionsService).ofAnywhere(COLORADO),
        });
        if (comes) await limits.count(manager, reference);
      });
      return null;
    } catch (error) {
      if (error instanceof DomainError) return error;
      throw error;
    }
  }

  describe('changed by their user', () => {
    it('work at once when they are the first, and when they are lower', async () => {
      const first = await set(5000);
      expect([first.status, first.data]).toMatchObject([
        200,
        {
          kind: 'deposit',
          period: 'day',
          currency: 'USD',
          amount: 5000,
          applies: 5000,
          used: 0,
          available: 5000,
          request: null,
        },
      ]);
      expect((await set(3000)).data).toMatchObject({ id: first.data.id, amount: 3000, request: null });
      expect(await own()).toMatchObject([{ id: first.data.id, amount: 3000 }]);
      expect(await changes()).toEqual([
        ['set', 5000, null],
        ['set', 3000, null],
      ]);
      expect(await book(3001)).not.toBeNull();
      expect(await book(3000)).toBeNull();
    });

    it('wait when they are higher, and then work only once they are confirmed', async () => {
      const { data } = await set(1000);
      expect((await set(4000)).data).toMatchObject({
        amount: 1000,
        request: {
          amount: 4000,
          askedAt: expect.stringMatching(/^2023-10-03T12:00/),
          confirmFrom: expect.stringMatching(/^2023-10-04T12:00/),
          confirmUntil: expect.stringMatching(/^2023-10-11T12:00/),
        },
      });
      const confirm = async () => await player.post(`compliance/limits/${data.id}/confirm`);
      const early = await confirm();
      expect([early.status, early.error.code, early.error.details]).toEqual([
        409,
        'LIMIT_STILL_WAITING',
        { confirmFrom: expect.stringMatching(/^2023-10-04T12:00/) },
      ]);
      await later(23.9);
      expect((await confirm()).error.code).toBe('LIMIT_STILL_WAITING');
      await later(0.2);
      expect((await own())[0].amount).toBe(1000); // nothing happens by itself
      expect((await book(1001))?.code).toBe('LIMIT_EXCEEDED');
      expect((await confirm()).data).toMatchObject({ amount: 4000, request: null });
      expect(await book(4000)).toBeNull();
      const again = await confirm();
      expect([again.status, again.error.code]).toEqual([409, 'LIMIT_NOT_REQUESTED']);
    });

    it('lapse when nobody confirms them in time', async () => {
      const { data } = await set(1000);
      await set(4000);
      await later(24 + 168);
      expect((await own())[0]).toMatchObject({ amount: 1000, request: null });
      const late = await player.post(`compliance/limits/${data.id}/confirm`);
      expect([late.status, late.error.code]).toEqual([409, 'LIMIT_NOT_REQUESTED']);
      expect((await set(4000)).data.request.amount).toBe(4000); // asked for anew, it waits anew
      expect(await changes()).toEqual([
        ['set', 1000, null],
        ['ask_more', 1000, 4000],
        ['lapse', 1000, null],
        ['ask_more', 1000, 4000],
      ]);
    });

    it('are gone when that was asked for, waited for and confirmed', async () => {
      const { data } = await set(1000);
      const asked = await set(undefined);
      expect([asked.status, asked.data]).toMatchObject([200, { amount: 1000, request: { amount: null } }]);
      await later(24.1);
      expect((await player.post(`compliance/limits/${data.id}/confirm`)).data).toMatchObject({
        amount: null,
        applies: null,
        available: null,
        request: null,
      });
      expect(await own()).toEqual([]);
      expect(await book(1_000_000)).toBeNull();
      expect((await player.post(`compliance/limits/${data.id}/confirm`)).error.code).toBe('LIMIT_NOT_FOUND');
      expect((await set(500)).data).toMatchObject({ id: data.id, amount: 500, request: null }); // a first one again
    });

    it('can be taken back while they wait, at once, however often', async () => {
      const { data } = await set(1000);
      await set(4000);
      for (let times = 0; times < 3; times += 1) {
        const { status, data: kept } = await player.call('DELETE', `compliance/limits/${data.id}/request`);
        expect([status, kept]).toMatchObject([200, { amount: 1000, request: null }]);
      }
      await later(25);
      expect((await player.post(`compliance/limits/${data.id}/confirm`)).error.code).toBe(
        'LIMIT_NOT_REQUESTED',
      );
      expect(await changes()).toHaveLength(3);
    });

    it.each([
      ['a lower one', 700, 700],
      ['the one that there is', 1000, 1000],
    ])('are undone while they wait by %s', async (_, amount, becomes) => {
      await set(1000);
      await set(4000);
      expect((await set(amount)).data).toMatchObject({ amount: becomes, request: null });
    });

    it('begin their wait anew when something else is asked for, and not when it is the same', async () => {
      await set(1000);
      await set(4000);
      await later(20);
      expect((await set(4000)).data.request.confirmFrom).toMatch(/^2023-10-04T12:00/);
      expect((await set(3000)).data.request.confirmFrom).toMatch(/^2023-10-05T08:00/);
      expect((await set(undefined)).data.request).toMatchObject({ amount: null });
    });

    it('of 30 that come at once are one after the other, and the lowest stays', async () => {
      const amounts = Array.from({ length: 30 }, (_, index) => 1000 + index * 10);
      const answers = await Promise.all(amounts.map(async (amount) => await set(amount)));
      expect(answers.map(({ status }) => status)).toEqual(amounts.map(() => 200));
      await set(900);
      expect(await own()).toMatchObject([{ amount: 900, request: null }]);
    });

    it.each([
      ['a currency that nobody can pay in', { currency: 'JPY' }, 422, 'LIMIT_CURRENCY_NOT_TAKEN'],
      ['less than nothing', { amount: -1 }, 400, 'VALIDATION_FAILED'],
      ['half a unit', { amount: 0.5 }, 400, 'VALIDATION_FAILED'],
      ['an unknown kind', { kind: 'win' }, 400, 'VALIDATION_FAILED'],
      ['an unknown period', { period: 'year' }, 400, 'VALIDATION_FAILED'],
      ['to remove what there is not', { amount: undefined }, 404, 'LIMIT_NOT_FOUND'],
    ])('are refused: %s', async (_, over, status, code) => {
      await set(1000, over); // the session was used
      const before = await fingerprint(system);
      const answer = await set(1000, over);
      expect([answer.status, answer.error.code]).toEqual([status, code]);
      expect(await fingerprint(system)).toEqual(before);
    });

    it("are nobody else's business", async () => {
      const { data } = await set(1000);
      await set(4000);
      const [stranger] = (await make.players(1)) as [Client];
      for (const answer of [
        await stranger.post(`compliance/limits/${data.id}/confirm`),
        await stranger.call('DELETE', `compliance/limits/${data.id}/request`),
      ])
        expect([answer.status, answer.error.code]).toEqual([404, 'LIMIT_NOT_FOUND']);
      expect((await stranger.get('compliance/limits')).data.limits).toEqual([]);
      expect((await own())[0].request.amount).toBe(4000);
    });
  });

  describe('of money', () => {
    it('tell what is left, and from when on an amount would fit', async () => {
      await set(5000);
      await set(6000, { period: 'week' });
      expect(await book(3000)).toBeNull();
      await later(2);
      expect(await book(1000)).toBeNull();
      const refused = await book(1500);
      expect([refused?.code, refused?.spec.status, refused?.details]).toEqual([
        'LIMIT_EXCEEDED',
        422,
        {
          kind: 'deposit',
          period: 'day',
          currency: 'USD',
          limit: 5000,
          used: 4000,
          available: 1000,
          resetsAt: expect.stringMatching(/^2023-10-04T12:00/), // when the first 3000 are a day old
        },
      ]);
      expect((await book(4500))?.details).toMatchObject({
        resetsAt: expect.stringMatching(/^2023-10-04T14:00/),
      });
      expect((await book(5001))?.details).toMatchObject({ period: 'day', resetsAt: null }); // never
      await later(22);
      expect((await book(4500))?.details).toMatchObject({ period: 'week', available: 2000 });
      expect(await book(2000)).toBeNull();
      expect(await own()).toMatchObject([
        { period: 'day', used: 3000, available: 2000 },
        { period: 'week', used: 6000, available: 0 },
      ]);
    });

    it('are of the calendar month, in UTC', async () => {
      await set(1000, { period: 'month' });
      await system.moveTo('2023-10-31T23:59:00Z');
      expect(await book(1000)).toBeNull();
      expect((await book(1))?.details).toMatchObject({ resetsAt: '2023-11-01T00:00:00.000Z' });
      await system.moveTo('2023-11-01T00:00:00Z');
      expect(await book(1000)).toBeNull();
    });

    it('count what is under way as if it had come, whenever it was begun', async () => {
      await set(1000);
      const reference = nextReference();
      expect(await book(1000, { comes: false, reference })).toBeNull();
      await later(24 * 40);
      expect((await book(1))?.details).toMatchObject({ used: 1000, available: 0, resetsAt: null });
      await inTransaction((manager) => limits.release(manager, reference));
      expect(await book(1000)).toBeNull();
    });

    it('count from when the money comes, also when it was given up', async () => {
      await set(1000);
      const [late, other] = [nextReference(), nextReference()];
      await book(800, { comes: false, reference: late });
      await inTransaction((manager) => limits.release(manager, late));
      expect(await book(900, { reference: other })).toBeNull();
      await inTransaction((manager) => limits.count(manager, late)); // it is there: nobody refuses it
      expect((await own())[0]).toMatchObject({ used: 1700, available: 0 });
      expect((await book(1))?.code).toBe('LIMIT_EXCEEDED');
    });

    it('are booked, counted and given back once, however often', async () => {
      await set(1000);
      const reference = nextReference();
      for (let times = 0; times < 3; times += 1) expect(await book(1000, { reference })).toBeNull();
      const each = async (work: Parameters<typeof inTransaction>[0]) =>
        await Promise.all(Array.from({ length: 10 }, async () => await inTransaction(work)));
      await each((manager) => limits.count(manager, reference));
      expect((await own())[0].used).toBe(1000);
      await each((manager) => limits.giveBack(manager, reference, 400n, 'refund:1'));
      expect((await own())[0].used).toBe(600);
      await each((manager) => limits.takeAgain(manager, reference, 400n, 'refund:1:undone'));
      expect((await own())[0].used).toBe(1000);
      await each((manager) => limits.giveBack(manager, reference, 1000n, 'refund:2'));
      expect((await own())[0].used).toBe(0);
      await each((manager) => limits.release(manager, reference));
    });

    it('given back leave the window in which they counted, and no other', async () => {
      await set(1000);
      const reference = nextReference();
      await book(1000, { reference });
      await later(30);
      await book(600);
      await inTransaction((manager) => limits.giveBack(manager, reference, 1000n, 'refund:1'));
      expect((await own())[0].used).toBe(600);
    });

    it('are held together: what is bought is paid in, staked, and may be lost', async () => {
      await set(5000);
      await set(3000, { kind: 'stake' });
      await set(2000, { kind: 'loss', period: 'week' });
      expect((await book(2500, { kind: 'purchase' }))?.details).toMatchObject({
        kind: 'loss',
        available: 2000,
      });
      const first = nextReference();
      expect(await book(2000, { kind: 'purchase', reference: first })).toBeNull();
      expect((await book(1, { kind: 'stake' }))?.details).toMatchObject({ kind: 'loss', used: 2000 });
      expect(await book(3000)).toBeNull(); // to the wallet
      expect((await book(1))?.details).toMatchObject({ kind: 'deposit' });
      // Decided, it is lost but for what was won, and there is room again.
      await inTransaction((manager) => limits.lose(manager, [{ reference: first, amount: 2000n }], 'week:1'));
      expect((await own()).find(({ kind }: { kind: string }) => kind === 'loss').used).toBe(2000);
    });

    it('of losses are held until they are decided, and then net', async () => {
      await set(1000, { kind: 'loss' });
      const reference = nextReference();
      expect(await book(1000, { kind: 'stake', reference })).toBeNull();
      await later(24 * 6); // at risk is at risk, however old
      expect((await book(1, { kind: 'stake' }))?.details).toMatchObject({ kind: 'loss', resetsAt: null });
      const decide = async () =>
        await inTransaction((manager) => limits.lose(manager, [{ reference, amount: 600n }], 'week:1'));
      await Promise.all([decide(), decide(), decide()]);
      expect((await own())[0].used).toBe(1000); // 600 lost, 400 at risk
      await later(25);
      expect((await own())[0].used).toBe(400);
      expect(await book(600, { kind: 'stake' })).toBeNull();
    });

    it('are of one currency each', async () => {
      await set(100);
      expect(await book(5000, { currency: 'EUR' })).toBeNull();
      expect((await book(101))?.code).toBe('LIMIT_EXCEEDED');
    });

    it('are below what the operator allows, whatever the user says', async () => {
      expect((await player.get('compliance/limits')).data).toMatchObject({
        maxima: [{ kind: 'stake', period: 'day', amount: { amount: 700, currency: 'EUR' } }],
        required: [],
        waitHours: 24,
        confirmHours: 168,
      });
      expect((await book(701, { kind: 'stake', currency: 'EUR' }))?.details).toMatchObject({
        kind: 'stake',
        limit: 700,
      });
      const { data } = await set(9000, { kind: 'stake', currency: 'EUR' });
      expect(data).toMatchObject({ amount: 9000, applies: 700, available: 700 });
      expect((await book(701, { kind: 'stake', currency: 'EUR' }))?.code).toBe('LIMIT_EXCEEDED');
      await set(300, { kind: 'stake', currency: 'EUR' });
      expect((await book(301, { kind: 'stake', currency: 'EUR' }))?.details).toMatchObject({ limit: 300 });
    });

    it('refused change nothing', async () => {
      await set(100);
      const before = await fingerprint(system);
      expect((await book(101))?.code).toBe('LIMIT_EXCEEDED');
      expect(await fingerprint(system)).toEqual(before);
    });

    it('let 100 that come at once reach the limit, and never pass it', async () => {
      await set(1000);
      await set(5000, { period: 'week' });
      const amounts = Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? 30 : 70));
      const answers = await Promise.all(amounts.map(async (amount) => await book(amount)));
      const passed = amounts
        .filter((_, index) => answers[index] === null)
        .reduce((sum, amount) => sum + amount, 0);
      expect(passed).toBeGreaterThan(1000 - 30);
      expect(passed).toBeLessThanOrEqual(1000);
      expect((await own())[0].used).toBe(passed);
      expect(new Set(answers.filter((answer) => answer !== null).map(({ code }) => code))).toEqual(
        new Set(['LIMIT_EXCEEDED']),
      );
      // And to the last unit, when each of them fits.
      const units = await Promise.all(Array.from({ length: 50 }, async () => await book(1)));
      expect(units.filter((answer) => answer === null)).toHaveLength(1000 - passed);
      expect((await own())[0]).toMatchObject({ used: 1000, available: 0 });
    });

    it('that are lowered meanwhile hold for everything that comes after', async () => {
      await set(10_000);
      const bookings = Array.from({ length: 60 }, async () => await book(100));
      const lowered = await set(1000);
      await Promise.all(bookings);
      expect(lowered.status).toBe(200);
      const { used } = (await own())[0];
      expect(used).toBe(Math.max(lowered.data.used, 1000));
    });
  });
});
