import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { v7 } from 'uuid';
import { Builders, type TestGame } from '../support/builders.js';
import type { Answer, Client } from '../support/client.js';
import { FIRST_TOUCHDOWN } from '../support/market-offers.js';
import type { Json } from '../support/odds-follower.js';
import { startSystem, type System } from '../support/system.js';

describe("an operator's offers", () => {
  let system: System;
  let make: Builders;
  let admin: Client;
  let reader: Client;

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
    make = new Builders(system);
    admin = await make.admin();
    [reader] = (await make.players(1)) as [Client];
  });
  afterAll(async () => system.stop());

  const game = async (startsAt = '2023-10-08T17:00:00Z') => await make.game({ startsAt });
  const put = async (path: string, body: object): Promise<Answer> =>
    await admin.call('PUT', `admin/${path}`, { body });
  const offer = async (of: TestGame, body: object = FIRST_TOUCHDOWN): Promise<Answer> =>
    await admin.post(`admin/games/${of.id}/markets`, body);
  const marketOf = async (id: string) => (await reader.get(`markets/${id}`)).data;
  const audited = async (subjectId: string) =>
    (
      await system.db.query(
        'SELECT action, actor_id, details FROM audit_log WHERE subject_id = $1 ORDER BY id',
        [subjectId],
      )
    ).rows;

  it('are props, in the order of their outcomes, with their prices to the letter', async () => {
    const of = await game();
    const { status, data } = await offer(of);
    expect(status).toBe(201);
    const prop = data.markets.find(({ kind }: Json) => kind === 'prop');
    expect(prop).toMatchObject({
      prop: 'first_touchdown',
      title: 'First touchdown',
      line: null,
      places: 1,
      status: 'open',
      outcomes: FIRST_TOUCHDOWN.outcomes.map(({ key, label }) => ({ key, label })),
    });
    expect(prop.prices.map((price: Json) => [price.outcome, price.american, price.decimal])).toEqual([
      ['kelce', 150, '2.5000'],
      ['hill', null, '1.9500'],
      ['nobody', 900, '10.0000'],
    ]);
    expect(await audited(prop.id)).toMatchObject([{ action: 'market.offer', actor_id: admin.userId }]);
    expect((await reader.get(`games/${of.id}`)).data).toEqual(data);
    const again = await offer(of);
    expect([again.status, again.error.code]).toEqual([409, 'MARKET_EXISTS']);
    const two = FIRST_TOUCHDOWN.outcomes.map(({ key, label }) => ({ key, label, american: -250 }));
    expect((await offer(of, { ...FIRST_TOUCHDOWN, key: 'two', places: 2, outcomes: two })).status).toBe(201);
  });

  it('are made once by many who make the same at once', async () => {
    const of = await game();
    const answers = await Promise.all(Array.from({ length: 20 }, () => offer(of)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ error }) => error?.code === 'MARKET_EXISTS')).toHaveLength(19);
    const { rows } = await system.db.query(
      `SELECT count(*)::int AS odds FROM odds o JOIN markets m ON m.id = o.market_id WHERE m.game_id = $1 AND m.kind = 'prop'`,
      [of.id],
    );
    expect(rows[0].odds).toBe(3);
  });

  it('are refused when they are none, and change nothing', async () => {
    const of = await game();
    const before = (await reader.get(`games/${of.id}`)).data;
    const [kelce, hill] = FIRST_TOUCHDOWN.outcomes;
    const refused: [object, number, string][] = [
      [{ outcomes: [kelce, kelce] }, 422, 'OFFER_INVALID'],
      [{ outcomes: [kelce, hill], places: 2 }, 422, 'OFFER_INVALID'],
      [{ outcomes: [kelce, { key: 'x', label: 'X' }] }, 422, 'OFFER_INVALID'],
      [{ outcomes: [kelce, { ...hill, american: 300 }] }, 422, 'OFFER_INVALID'],
      [{ outcomes: [kelce, { key: 'x', label: 'X', american: 99 }] }, 422, 'OFFER_INVALID'],
      [{ outcomes: [kelce, { key: 'x', label: 'X', decimal: '1.0' }] }, 422, 'OFFER_INVALID'],
      [{ outcomes: [kelce] }, 400, 'VALIDATION_FAILED'],
      [{ outcomes: [kelce, { key: 'Not a key', label: 'X', american: 300 }] }, 400, 'VALIDATION_FAILED'],
      [{ places: 0 }, 400, 'VALIDATION_FAILED'],
      [{ title: '' }, 400, 'VALIDATION_FAILED'],
    ];
    for (const [over, status, code] of refused) {
      const answer = await offer(of, { ...FIRST_TOUCHDOWN, ...over });
      expect([over, answer.status, answer.error.code]).toEqual([over, status, code]);
    }
    const missing = await admin.post(`admin/games/${v7()}/markets`, FIRST_TOUCHDOWN);
    expect(missing.error.code).toBe('GAME_NOT_FOUND');
    expect((await offer(await game('2023-10-03T11:00:00Z'))).error.code).toBe('GAME_STATE_CONFLICT');
    expect((await reader.get(`games/${of.id}`)).data).toEqual(before);
    expect((await reader.post(`admin/games/${of.id}/markets`, FIRST_TOUCHDOWN)).status).toBe(403);
  });

  it('are prices of open and of suspended markets, each a new row that the history keeps', async () => {
    const { id: gameId, moneyline } = await game();
    const prices = [
      { outcome: 'home', american: 130 },
      { outcome: 'away', decimal: '1.725' },
    ];
    expect((await put(`markets/${moneyline.id}/prices`, { prices, reason: 'test' })).status).toBe(200);
    await admin.post(`admin/markets/${moneyline.id}/suspend`, { reason: 'test' });
    const change = { prices: [{ outcome: 'home', american: 135 }], reason: 'test' };
    const { data } = await put(`markets/${moneyline.id}/prices`, change);
    expect(data.id).toBe(gameId);
    const market = await marketOf(moneyline.id);
    expect(market.status).toBe('suspended');
    expect(market.prices.map((price: Json) => [price.outcome, price.american, price.decimal])).toEqual([
      ['home', 135, '2.3500'],
      ['away', null, '1.7250'],
    ]);
    const history = await reader.get(`markets/${moneyline.id}/odds/history?outcome=home`);
    expect(history.data.map((price: Json) => price.american)).toEqual([135, 130, -110]);
    expect((await audited(moneyline.id)).map(({ action }) => action)).toEqual([
      'market.price',
      'market.suspend',
      'market.price',
    ]);
    const refusal = async (body: object) =>
      (await put(`markets/${moneyline.id}/prices`, { reason: 'test', ...body })).error.code;
    expect(await refusal({ prices: [{ outcome: 'draw', american: 130 }] })).toBe('OFFER_INVALID');
    expect(await refusal({ prices: [prices[0], prices[0]] })).toBe('OFFER_INVALID');
    expect(await refusal({ prices: [] })).toBe('VALIDATION_FAILED');
    await admin.post(`admin/markets/${moneyline.id}/void`, { reason: 'test' });
    expect(await refusal({ prices })).toBe('MARKET_STATE_CONFLICT');
    const strange = await put(`markets/${v7()}/prices`, { prices, reason: 'test' });
    expect(strange.error.code).toBe('MARKET_NOT_FOUND');
    const begun = await game('2023-10-03T11:00:00Z');
    const late = await put(`markets/${begun.total.id}/prices`, {
      prices: [{ outcome: 'over', american: 130 }],
      reason: 'test',
    });
    expect(late.error.code).toBe('GAME_STATE_CONFLICT');
  });

  it("are held to the checks of a feed's prices, and are refused with what is wrong", async () => {
    const { moneyline, total } = await game();
    const refused = async (id: string, ...prices: object[]) => {
      const before = await marketOf(id);
      const { status, error } = await put(`markets/${id}/prices`, { prices, reason: 'test' });
      expect([status, error.code]).toEqual([422, 'PRICES_IMPLAUSIBLE']);
      expect(await marketOf(id)).toEqual(before);
      return error.details;
    };
    // -110 of the other side stays.
    expect(await refused(moneyline.id, { outcome: 'home', american: 120 })).toMatchObject({
      field: 'prices',
      reason: 'OVERROUND_LOW',
      overround: -0.021645,
      minimum: 0,
      maximum: 0.4,
    });
    expect(await refused(moneyline.id, { outcome: 'home', decimal: '1.01' })).toMatchObject({
      reason: 'OVERROUND_HIGH',
    });
    expect(
      await refused(total.id, { outcome: 'over', american: 400 }, { outcome: 'under', american: 400 }),
    ).toMatchObject({ reason: 'OVERROUND_LOW', overround: -0.6 });
    const fair = [
      { outcome: 'over', american: 100 },
      { outcome: 'under', decimal: '2' },
    ];
    expect((await put(`markets/${total.id}/prices`, { prices: fair, reason: 'test' })).status).toBe(200);
    expect((await audited(total.id)).map(({ action }) => action)).toEqual(['market.price']);

    const of = await game();
    const outcomes = FIRST_TOUCHDOWN.outcomes.slice(0, 2);
    const few = await offer(of, { ...FIRST_TOUCHDOWN, outcomes });
    expect([few.status, few.error.code, few.error.details.reason]).toEqual([
      422,
      'PRICES_IMPLAUSIBLE',
      'OVERROUND_LOW',
    ]);
    expect((await offer(of, { ...FIRST_TOUCHDOWN, places: 2 })).error.code).toBe('PRICES_IMPLAUSIBLE');
    expect((await reader.get(`games/${of.id}`)).data.markets).toHaveLength(3);
    await system.db.query(
      "UPDATE market_prices SET odds_id = NULL, american = NULL, price_num = NULL, price_den = NULL WHERE market_id = $1 AND outcome = 'away'",
      [of.moneyline.id],
    );
    expect(await refused(of.moneyline.id, { outcome: 'home', american: -110 })).toMatchObject({
      reason: 'MARKET_INCOMPLETE',
      outcomes: ['home'],
    });
  });

  it('are right together, of two who price one side each at once', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { moneyline } = await game();
      const answers = await Promise.all(
        ['home', 'away'].map(async (outcome) =>
          put(`markets/${moneyline.id}/prices`, { prices: [{ outcome, american: 105 }], reason: 'test' }),
        ),
      );
      expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 422]);
    }
  });

  it('are limits of a market, told and lifted', async () => {
    const { total } = await game();
    expect((await marketOf(total.id)).maxStake).toBeNull();
    for (const maxStake of [500, 0, null]) {
      expect((await put(`markets/${total.id}/limit`, { maxStake, reason: 'test' })).status).toBe(200);
      expect((await marketOf(total.id)).maxStake).toBe(maxStake);
    }
    expect((await audited(total.id)).map(({ details }) => [details.from, details.to])).toEqual([
      [null, 500],
      ['500', 0],
      ['0', null],
    ]);
    for (const body of [
      { reason: 'test' },
      { maxStake: -1, reason: 'test' },
      { maxStake: '5', reason: 'test' },
      { maxStake: 5 },
    ])
      expect((await put(`markets/${total.id}/limit`, body)).status).toBe(400);
    expect((await put(`markets/${v7()}/limit`, { maxStake: 5, reason: 'test' })).error.code).toBe(
      'MARKET_NOT_FOUND',
    );
  });
});
