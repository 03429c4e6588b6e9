import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { v7 } from 'uuid';
import { type Builders, type TestMarket, unbalanced } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { startPlayedWeek, WEEK } from '../support/played-week.js';
import { reprice } from '../support/slips.js';
import type { System } from '../support/system.js';

const SUNDAY = '2023-10-08T17:00:00Z';

let system: System;
let make: Builders;

beforeAll(async () => {
  ({ system, make } = await startPlayedWeek({ pools: { minStake: 10, maxStake: 800 } }));
});
afterAll(async () => system.stop());
afterEach(async () => expect(await unbalanced(system)).toEqual([]));

describe('a price that has moved', () => {
  let player: Client;

  beforeAll(async () => {
    player = await make.member(WEEK);
  });

  const stakeOn = (market: TestMarket, oddsId: string | undefined, acceptOdds?: string) =>
    player.bet({
      marketId: market.id,
      outcome: 'home',
      stake: 20,
      ...(oddsId === undefined ? {} : { oddsId }),
      ...(acceptOdds === undefined ? {} : { acceptOdds }),
    });

  it.each([
    { acceptOdds: undefined, to: 105, code: 'ODDS_CHANGED' },
    { acceptOdds: 'exact', to: 105, code: 'ODDS_CHANGED' },
    { acceptOdds: 'exact', to: -120, code: 'ODDS_CHANGED' },
    { acceptOdds: 'better', to: 105, code: null },
    { acceptOdds: 'better', to: -109, code: null },
    { acceptOdds: 'better', to: -111, code: 'ODDS_CHANGED' },
    { acceptOdds: 'any', to: 105, code: null },
    { acceptOdds: 'any', to: -400, code: null },
  ])('with acceptOdds $acceptOdds from -110 to $to: $code', async ({ acceptOdds, to, code }) => {
    const { moneyline } = await make.game({ startsAt: SUNDAY });
    const shown = moneyline.odds['home'];
    const current = await reprice(system, moneyline, 'home', { american: to });
    const answer = await stakeOn(moneyline, shown, acceptOdds);
    expect(answer.error?.code ?? null).toBe(code);
    const told = code === null ? answer.data.odds : answer.error.details['current'];
    expect(told).toMatchObject({ oddsId: current, american: to });
  });

  it('keeps the price that a bet took for ever', async () => {
    const { moneyline } = await make.game({ startsAt: SUNDAY, american: 120 });
    const placed = await stakeOn(moneyline, moneyline.odds['home']);
    await reprice(system, moneyline, 'home', { american: -300 });
    const bet = await player.get(`bets/${placed.data.betId}`);
    expect(bet.data).toMatchObject({
      odds: { oddsId: moneyline.odds['home'], american: 120, decimal: '2.2000' },
      potentialPayout: 44,
    });
  });

  it('pays from the exact fraction: 50 at +120 is 110, 50 at -140 is 85', async () => {
    for (const [american, payout] of [
      [120, 110],
      [-140, 85],
    ] as const) {
      const { moneyline } = await make.game({ startsAt: SUNDAY, american });
      const body = { marketId: moneyline.id, outcome: 'away', stake: 50, oddsId: moneyline.odds['away'] };
      expect((await player.bet(body)).data.potentialPayout).toBe(payout);
    }
  });

  it('never crosses lines: a moved line is a new market, with prices of its own', async () => {
    const game = await make.game({ startsAt: SUNDAY, spread: '-3.00' });
    const id = v7();
    await system.db.query("UPDATE markets SET status = 'suspended' WHERE id = $1", [game.spread.id]);
    await system.db.query(
      "INSERT INTO markets (id, game_id, kind, line) VALUES ($1, $2, 'spread', '-3.50')",
      [id, game.id],
    );
    const odds = v7();
    await system.db.query(
      `WITH o AS (INSERT INTO odds (id, market_id, outcome, american, price_num, price_den) VALUES ($1, $2, 'home', 100, 2, 1))
       INSERT INTO market_prices (market_id, outcome, odds_id, american, price_num, price_den) VALUES ($2, 'home', $1, 100, 2, 1)`,
      [odds, id],
    );
    const old = game.spread.odds['home'];
    expect((await stakeOn(game.spread, old, 'any')).error.code).toBe('MARKET_NOT_OPEN');
    for (const acceptOdds of ['exact', 'better', 'any'])
      expect((await stakeOn({ id, odds: {} }, old, acceptOdds)).error.code).toBe('ODDS_UNKNOWN');
    expect((await stakeOn({ id, odds: {} }, odds)).status).toBe(201);
  });

  it('asks for the price that was shown, unless any will do', async () => {
    const { moneyline } = await make.game({ startsAt: SUNDAY });
    for (const acceptOdds of [undefined, 'exact', 'better'])
      expect((await stakeOn(moneyline, undefined, acceptOdds)).error.code).toBe('ODDS_UNKNOWN');
    expect((await stakeOn(moneyline, undefined, 'any')).status).toBe(201);
  });
});
