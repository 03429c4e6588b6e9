import { describe, expect, it } from '@jest/globals';
import type { FeedIntakeService } from '../../src/modules/sports/feeds/intake.service.js';
import { MarketsService } from '../../src/modules/sports/markets.service.js';
import { ResultsService } from '../../src/modules/sports/results.service.js';
import type { Client } from '../support/client.js';
import { moneyline, spread } from '../support/scripted-feed.js';
import type { System } from '../support/system.js';
import { followsFeeds, newSweeper, toldFeed } from '../support/told-feed.js';

let system: System;
let admin: Client;
let intake: FeedIntakeService;
let source: string;

followsFeeds((followed) => {
  ({ system, admin, intake, source } = followed);
});

const { announce, game, idOf, markets, odds } = toldFeed(() => ({ system, source }));

describe('a feed that has fallen silent', () => {
  const later = async (seconds: number) => system.moveTo(new Date(system.now().getTime() + seconds * 1000));

  it('has its markets suspended after ten minutes, whoever sweeps, and opened by the next word', async () => {
    await announce('a', 'b');
    await odds([moneyline(), spread()], [moneyline()]);
    await system.db.query(
      `INSERT INTO markets (id, game_id, kind, prop, title, outcomes) VALUES (gen_random_uuid(), $1, 'prop', 'coin', 'Coin', '[{"key":"heads","label":"Heads"}]')`,
      [(await game()).id],
    );
    await later(590);
    expect(await newSweeper(system).sweep()).toBe(0);
    await later(20);
    const swept = await Promise.all(Array.from({ length: 8 }, () => newSweeper(system).sweep()));
    expect(swept.reduce((sum, one) => sum + one, 0)).toBe(3);
    expect(await markets()).toEqual([
      'moneyline suspended feed_stale -150/130',
      'prop open',
      'spread -3.00 suspended feed_stale -110/-110',
    ]);
    // Of one game the same prices, of the other a new one: either opens its markets.
    await odds([moneyline(), spread()], [moneyline(-160, 140)]);
    expect(await markets()).toEqual(['moneyline open -150/130', 'prop open', 'spread -3.00 open -110/-110']);
    expect(await markets('b')).toEqual(['moneyline open -160/140']);
    expect(await newSweeper(system).sweep()).toBe(0);
  });

  it('does not count as silent while it says that nothing is new', async () => {
    await announce('a');
    await odds([moneyline()]);
    for (let minutes = 0; minutes < 30; minutes += 5) {
      await later(300);
      await intake.odds(source, null);
      expect(await newSweeper(system).sweep()).toBe(0);
    }
    await later(700);
    expect(await newSweeper(system).sweep()).toBe(1);
    await intake.odds(source, null);
    expect(await markets()).toEqual(['moneyline open -150/130']);
  });

  it('is silent after a minute already once the game has begun', async () => {
    await announce('a');
    await system.moveTo('2023-10-08T16:59:50Z');
    await odds([moneyline()]);
    await later(30);
    expect(await newSweeper(system).sweep()).toBe(0);
    await later(35);
    expect(await newSweeper(system).sweep()).toBe(1);
  });

  it('does not open what an operator has suspended meanwhile, nor a game that is off', async () => {
    await announce('a', 'b');
    await odds([moneyline(), spread()], [moneyline()]);
    const subject = { userId: admin.userId } as never;
    await system.app.get(MarketsService).suspend(subject, await idOf('a', 'moneyline'), 'x');
    await later(700);
    expect(await newSweeper(system).sweep()).toBe(2);
    await system.app.get(ResultsService).report(admin.userId, (await game('b')).id, { status: 'cancelled' });
    await odds([moneyline(), spread()], [moneyline()]);
    expect(await markets()).toEqual(['moneyline suspended operator -150/130', 'spread -3.00 open -110/-110']);
    expect((await markets('b'))[0]).not.toContain('open');
  });
});
