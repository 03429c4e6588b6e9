import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { FeedIntakeService } from '../../src/modules/sports/feeds/intake.service.js';
import { ResultsService } from '../../src/modules/sports/results.service.js';
import type { Builders } from '../support/builders.js';
import type { Answer, Client } from '../support/client.js';
import { DOUBTED, first, firstTouchdown, THREE, TWO } from '../support/first-touchdown.js';
import { startPlayedWeek, WEEK } from '../support/played-week.js';
import { aGame, moneyline } from '../support/scripted-feed.js';
import type { System } from '../support/system.js';
import { aFollowedFeed, toldFeed, TUESDAY } from '../support/told-feed.js';

const LATER = '2023-10-08T20:00:00Z';

let system: System;
let make: Builders;
let admin: Client;
let results: ResultsService;
let source: string;
let player: Client;

beforeAll(async () => {
  ({ system, make, admin, results } = await startPlayedWeek());
});
afterAll(async () => system.stop());
beforeEach(async () => {
  await system.moveTo(TUESDAY);
  source = await aFollowedFeed(system);
  player = await make.member(WEEK);
});

const told = toldFeed(() => ({ system, source }));
const { markets, game, idOf, announce, odds } = told;
const { shown, bet } = firstTouchdown(told, () => admin);
const onMoneyline = async () => await bet(player, 'home', { marketId: await idOf('a', 'moneyline') });

async function putOff(startsAt?: string): Promise<void> {
  const { id } = await game();
  await results.report(null, id, {
    status: 'postponed',
    ...(startsAt === undefined ? {} : { startsAt: new Date(startsAt) }),
  });
}

async function operate(marketId: string, what: 'suspend' | 'resume'): Promise<Answer> {
  return await admin.post(`admin/markets/${marketId}/${what}`, { reason: 'a test' });
}

describe('a game of a feed that was put off and has a start again', () => {
  it('takes bets once the feed has offered something by now, and at no price of before', async () => {
    await announce('a');
    await odds([first(THREE), moneyline()]);
    await putOff();
    expect(await shown()).toBe('closed abc: a 150, b 150, c 260');
    // What is said meanwhile changes nothing.
    await odds([first(TWO)]);
    await putOff(LATER);
    expect(await shown()).toBe('suspended abc: a 150, b 150, c 260');
    expect([await bet(player, 'a'), await bet(player, 'c'), await onMoneyline()]).toEqual(
      Array(3).fill('409 MARKET_NOT_OPEN'),
    );

    await odds([first(TWO)]);
    expect(await shown()).toBe('open abc: a -110, b -110');
    expect([await bet(player, 'a'), await bet(player, 'c'), await onMoneyline()]).toEqual([
      'placed',
      '422 OUTCOME_UNKNOWN',
      '409 MARKET_NOT_OPEN',
    ]);
    expect(await markets()).toContain('moneyline suspended feed_stale -150/130');
    await odds([first(THREE), moneyline(-200, 170)]);
    expect([await shown(), await onMoneyline()]).toEqual(['open abc: a 150, b 150, c 260', 'placed']);
  });

  it('takes bets as soon as the feed says the same again, whoever has moved its start', async () => {
    await announce('a', 'b');
    const offered = [first(THREE), moneyline()];
    await odds(offered);
    await putOff();
    // By now the follower has forgotten the game.
    await system.moveTo('2023-10-03T12:01:00Z');
    await odds(offered);
    await putOff(LATER);
    await odds(offered);
    expect([await bet(player, 'c'), await onMoneyline()]).toEqual(['placed', 'placed']);
    // The same by the feed's own word.
    await putOff();
    await odds(offered);
    await system.app.get(FeedIntakeService).schedule(source, [aGame('a', '2023-10-08T21:00:00Z')]);
    expect([await bet(player, 'c'), await onMoneyline()]).toEqual(Array(2).fill('409 MARKET_NOT_OPEN'));
    await odds(offered);
    expect([await bet(player, 'c'), await onMoneyline()]).toEqual(['placed', 'placed']);
  });

  it("takes bets on an operator's own market at once", async () => {
    await announce('a');
    await odds([moneyline()]);
    const outcomes = ['x', 'y'].map((key) => ({ key, label: key, american: -110 }));
    const { id } = await game();
    await admin.post(`admin/games/${id}/markets`, { key: 'first', title: 'First', outcomes });
    await putOff();
    expect(await bet(player, 'x')).toBe('409 MARKET_NOT_OPEN');
    await putOff(LATER);
    expect([await bet(player, 'x'), await onMoneyline()]).toEqual(['placed', '409 MARKET_NOT_OPEN']);
  });

  it('has no price that was dropped meanwhile of a market that an operator had suspended', async () => {
    await announce('a');
    await odds([first(THREE)]);
    const marketId = await idOf('a', 'prop');
    await operate(marketId, 'suspend');
    system.app.get(FeedIntakeService).forget(source);
    await odds([first(THREE)]);
    await putOff();
    await odds([first(TWO)]); // of a game that takes no prices: c keeps its own
    await putOff(LATER);
    await odds([first(TWO)]);
    expect((await operate(marketId, 'resume')).status).toBe(200);
    expect(await shown()).toBe('open abc: a -110, b -110');
    expect(await bet(player, 'c')).toBe('422 OUTCOME_UNKNOWN');
  });
});

describe('a market that is doubted and that an operator takes up again', () => {
  it('is suspended by the next answer that is not believed either', async () => {
    await announce('a');
    await odds([first(THREE)]);
    await odds([first(DOUBTED)]);
    expect(await shown()).toBe('suspended abc: a 150, b 150, c 260');
    const marketId = await idOf('a', 'prop');
    for (let again = 0; again < 2; again += 1) {
      expect((await operate(marketId, 'resume')).status).toBe(200);
      expect(await shown()).toBe('open abc: a 150, b 150, c 260');
      await odds([first(DOUBTED)]);
      expect(await shown()).toBe('suspended abc: a 150, b 150, c 260');
      expect(await bet(player, 'c')).toBe('409 MARKET_NOT_OPEN');
    }
    await odds([first(TWO)]);
    expect(await shown()).toBe('open abc: a -110, b -110');
  });
});
