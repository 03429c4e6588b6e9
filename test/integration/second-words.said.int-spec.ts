import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Builders, unbalanced } from '../support/builders.js';
import { START } from '../support/played-week.js';
import type { System } from '../support/system.js';
import { CANCELLED, VoidedGame } from '../support/voided-game.js';

let scene: VoidedGame;
let system: System;
let make: Builders;

beforeAll(async () => {
  scene = await VoidedGame.start();
  ({ system, make } = scene.week);
});
afterAll(async () => system.stop());
beforeEach(async () => scene.begin());

describe('market by market', () => {
  it('one person voids no more bets than at once', async () => {
    await scene.stakes(6);
    expect((await scene.voidMarket(scene.admins[0], scene.game.moneyline)).status).toBe(200);
    const second = await scene.voidMarket(scene.admins[0], scene.game.spread);
    expect([second.status, second.data.bets]).toEqual([202, 4]);
    // What two people voided counts no more, what one did still does.
    expect((await scene.voidMarket(scene.admins[1], scene.game.spread)).status).toBe(200);
    const third = await scene.voidMarket(scene.admins[0], scene.game.total);
    expect([third.status, third.data.bets]).toEqual([202, 4]);
    expect(await scene.bets()).toEqual(['placed', 'void MARKET_VOIDED']);
  });

  it('and then the rest of the game neither', async () => {
    await scene.stakes(3);
    expect((await scene.voidMarket(scene.admins[0], scene.game.moneyline)).status).toBe(200);
    const rest = await scene.say(scene.admins[0], CANCELLED);
    expect([rest.status, rest.data.bets]).toEqual([202, 3]);
    expect(await scene.bets()).toEqual(['placed', 'void MARKET_VOIDED']);
  });
});

describe('a word', () => {
  beforeEach(async () => scene.stakes(3));

  it('comes to the same as another that makes the same of the game', async () => {
    await scene.say(scene.admins[0], CANCELLED);
    const same = await scene.say(scene.admins[1], { status: 'cancelled', homeScore: 0, awayScore: 0 });
    expect([same.status, same.data.status]).toEqual([200, 'cancelled']);
  });

  it('to another start beyond the grace, too', async () => {
    await scene.say(scene.admins[0], { status: 'postponed', startsAt: '2023-10-20T17:00:00Z' });
    const same = await scene.say(scene.admins[1], { status: 'postponed', startsAt: '2023-10-21T17:00:00Z' });
    expect([same.status, same.data.status]).toEqual([200, 'cancelled']);
  });

  it('is shown also of a game that was put off before', async () => {
    expect((await scene.say(scene.admins[0], { status: 'postponed' })).status).toBe(200);
    const waits = await scene.say(scene.admins[0], {
      status: 'postponed',
      startsAt: '2023-10-20T17:00:00.000Z',
    });
    expect(waits.status).toBe(202);
    expect(await scene.pending()).toEqual([waits.data]);
  });

  it('is named with who said it first where the second agrees', async () => {
    const { data } = await scene.say(scene.admins[0], CANCELLED);
    await scene.say(scene.admins[1], CANCELLED);
    expect(await scene.audited(scene.game.id, 'game.result')).toMatchObject([
      { to: { status: 'cancelled' }, request: { requestId: data.id, requestedBy: scene.admins[0].userId } },
    ]);
    const few = await make.game({ startsAt: START });
    await scene.admins[1].post(`admin/games/${few.id}/result`, CANCELLED);
    expect((await scene.audited(few.id, 'game.result'))[0]).not.toHaveProperty('request');
  });

  it('of a market as well', async () => {
    await scene.stakesOnMoneyline();
    const { data } = await scene.voidMarket(scene.admins[0], scene.game.moneyline);
    await scene.voidMarket(scene.admins[1], scene.game.moneyline);
    expect(await scene.audited(scene.game.moneyline.id, 'market.void')).toEqual([
      { reason: 'wrong price', request: { requestId: data.id, requestedBy: scene.admins[0].userId } },
    ]);
  });

  it.each([0, 2])('is taken back: by number %i', async (who) => {
    const { data } = await scene.say(scene.admins[0], CANCELLED);
    expect((await scene.admins[who]!.call('DELETE', `admin/market-voids/${data.id}`)).status).toBe(200);
    expect(await scene.pending()).toEqual([]);
    expect(await scene.audited(scene.game.id, 'game.void-withdrawn')).toEqual([
      { requestId: data.id, requestedBy: scene.admins[0].userId, result: { status: 'cancelled' } },
    ]);
    const gone = await scene.admins[who]!.call('DELETE', `admin/market-voids/${data.id}`);
    expect([gone.status, gone.error.code]).toEqual([404, 'MARKET_VOID_NOT_FOUND']);
    expect((await scene.say(scene.admins[1], CANCELLED)).status).toBe(202);
  });

  it('is not taken back once it is done, or has expired', async () => {
    const done = await scene.say(scene.admins[0], CANCELLED);
    await scene.say(scene.admins[1], CANCELLED);
    expect((await scene.admins[0].call('DELETE', `admin/market-voids/${done.data.id}`)).status).toBe(404);
    await scene.begin('2023-10-08T17:00:00Z');
    await scene.stakes(3);
    const old = await scene.say(scene.admins[0], CANCELLED);
    await system.moveTo('2023-10-04T12:00:10Z');
    expect((await scene.admins[0].call('DELETE', `admin/market-voids/${old.data.id}`)).status).toBe(404);
  });

  it('is taken back, or agreed with, but not both, by many at once', async () => {
    const { data } = await scene.say(scene.admins[0], CANCELLED);
    const [taken, agreed] = await Promise.all([
      Promise.all(
        Array.from({ length: 25 }, async () =>
          scene.admins[0].call('DELETE', `admin/market-voids/${data.id}`),
        ),
      ),
      Promise.all(Array.from({ length: 25 }, async () => scene.say(scene.admins[1], CANCELLED))),
    ]);
    const withdrawn = taken.filter(({ status }) => status === 200).length;
    const ended = (await scene.bets()).includes('void GAME_CANCELLED');
    expect([withdrawn, ended]).toEqual(ended ? [0, true] : [1, false]);
    expect(agreed.every(({ status }) => (ended ? status === 200 : status === 202 || status === 409))).toBe(
      true,
    );
    expect(await unbalanced(system)).toEqual([]);
  });
});
