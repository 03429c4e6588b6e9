import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { StakeLimitsService } from '../../src/modules/bets/stake-limits.service.js';
import { type Builders, type TestGame, unbalanced } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { holding } from '../support/crash.js';
import { startPlayedWeek, WEEK } from '../support/played-week.js';
import { betsOf, creditsOf, homeWins, legOn, reprice } from '../support/slips.js';
import { aSubject } from '../support/subjects.js';
import type { System } from '../support/system.js';

const SUNDAY = '2023-10-08T17:00:00Z';

describe('what may be staked on a market at most', () => {
  let system: System;
  let make: Builders;
  let admin: Client;

  beforeAll(async () => {
    ({ system, make, admin } = await startPlayedWeek({ bets: { maxPayout: 5000 } }));
  });
  afterAll(async () => system.stop());

  const aPlayer = async () => make.member(WEEK);

  const aGame = () => make.game({ startsAt: SUNDAY });
  const limitMarket = (id: string, credits: number | null) =>
    system.db.query('UPDATE markets SET max_stake = $2 WHERE id = $1', [id, credits]);
  const limitUser = (player: Client, maxStake: number | null) =>
    admin.call('PUT', `admin/users/${player.userId}/stake-limit`, { body: { maxStake, reason: 'test' } });

  async function refusal(player: Client, body: object): Promise<unknown> {
    const { error } = await player.bet(body);
    return error && [error.code, error.details];
  }

  const above = (maximum: number) => ['ABOVE_MARKET_MAX', { field: 'stake', maximum }];

  it('of 50 bets of 10 at once on a market of 200, 20 are taken, and not one more', async () => {
    const [player, game] = [await aPlayer(), await aGame()];
    await limitMarket(game.moneyline.id, 200);
    const outcomes = ['home', 'away'];
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        player.bet({ ...legOn(game.moneyline, outcomes[n % 2]!), stake: 10 }),
      ),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(20);
    expect(
      answers.filter(({ status }) => status !== 201).map(({ error }) => [error.code, error.details]),
    ).toEqual(Array(30).fill(above(0)));
    expect((await creditsOf(system, player.userId))['staked']).toBe(200);
    // Nobody else's stakes, and no other market's.
    expect((await (await aPlayer()).bet({ ...homeWins(game), stake: 200 })).status).toBe(201);
    expect((await player.bet({ ...legOn(game.total, 'over'), stake: 300 })).status).toBe(201);
  });

  it('tells what is still possible, which is taken', async () => {
    const [player, game] = [await aPlayer(), await aGame()];
    await limitMarket(game.moneyline.id, 100);
    expect((await player.bet({ ...homeWins(game), stake: 70 })).status).toBe(201);
    expect(await refusal(player, { ...homeWins(game), stake: 31 })).toEqual(above(30));
    expect((await player.bet({ ...homeWins(game), stake: 30 })).status).toBe(201);
    expect(await refusal(player, { ...homeWins(game), stake: 1 })).toEqual(above(0));
    await limitMarket(game.moneyline.id, 50); // lower than what is staked
    expect(await refusal(player, { ...homeWins(game), stake: 1 })).toEqual(above(0));
    await limitMarket(game.moneyline.id, null);
    expect((await player.bet({ ...homeWins(game), stake: 1 })).status).toBe(201);
  });

  it('of 50 mixed singles and parlays of 10 at once on a market of 200, 20 are taken, and not one more', async () => {
    const [player, game] = [await aPlayer(), await aGame()];
    const others = [await aGame(), await aGame(), await aGame()];
    await limitMarket(game.moneyline.id, 200);
    const bodies = Array.from({ length: 50 }, (_, n) => [
      homeWins(game),
      ...others.slice(0, n % 4).map(homeWins),
    ]).map((legs, n) => (legs.length === 1 ? legs[0]! : { legs: n % 8 < 4 ? legs : legs.toReversed() }));
    const answers = await Promise.all(bodies.map((body) => player.bet({ ...body, stake: 10 })));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(20);
    expect(new Set(answers.filter(({ status }) => status !== 201).map(({ error }) => error.code))).toEqual(
      new Set(['ABOVE_MARKET_MAX']),
    );
    expect((await creditsOf(system, player.userId))['staked']).toBe(200);
    const { rows } = await system.db.query(
      `SELECT sum(b.stake)::int AS staked FROM bets b WHERE b.user_id = $1
         AND (b.market_id = $2 OR EXISTS (SELECT FROM bet_legs l WHERE l.bet_id = b.id AND l.market_id = $2))`,
      [player.userId, game.moneyline.id],
    );
    expect(rows).toEqual([{ staked: 200 }]);
    expect((await player.bet({ legs: others.map(homeWins), stake: 300 })).status).toBe(201);
  });

  it('counts what is graded, not what was taken back', async () => {
    const [player, game, other] = [await aPlayer(), await aGame(), await aGame()];
    await limitMarket(game.moneyline.id, 100);
    const parlay = { legs: [homeWins(game), homeWins(other)] };
    for (const body of [homeWins(game), parlay]) {
      const back = await player.bet({ ...body, stake: 100 });
      expect(await refusal(player, { ...homeWins(game), stake: 1 })).toEqual(above(0));
      expect((await player.post(`bets/${back.data.betId}/cancel`)).status).toBe(200);
    }
    for (const [body, stake] of [
      [homeWins(game), 60],
      [parlay, 15],
    ] as const) {
      const graded = await player.bet({ ...body, stake });
      await system.db.query(
        `UPDATE bets SET status = 'lost', payout = 0, settlement_id = gen_random_uuid(), settled_at = placed_at WHERE id = $1`,
        [graded.data.betId],
      );
      await system.db.query('UPDATE pool_members SET bets_open = bets_open - 1 WHERE user_id = $1', [
        player.userId,
      ]);
    }
    expect(await refusal(player, { ...homeWins(game), stake: 26 })).toEqual(above(25));
  });

  it("of a parlay is what the fullest of its legs' markets leaves, which it names", async () => {
    const player = await aPlayer();
    const [one, two, three] = [await aGame(), await aGame(), await aGame()];
    const legs = [one, two, three].map(homeWins);
    const aboveOn = (leg: number, maximum: number) => ['ABOVE_MARKET_MAX', { leg, field: 'stake', maximum }];
    const room = async () => (await player.post('bets/quote', { legs, stake: 1 })).data.limits;
    expect(await room()).toMatchObject({ marketRoom: null });
    await limitMarket(two.moneyline.id, 90);
    await limitMarket(three.moneyline.id, 80);
    expect(await refusal(player, { legs, stake: 100 })).toEqual(aboveOn(3, 80));
    expect((await player.bet({ ...homeWins(two), stake: 50 })).status).toBe(201);
    expect(await refusal(player, { legs, stake: 41 })).toEqual(aboveOn(2, 40));
    expect(await room()).toMatchObject({ marketRoom: 40, largestStake: 40 });
    expect((await player.bet({ legs, stake: 40 })).status).toBe(201);
    expect(await refusal(player, { ...homeWins(three), stake: 41 })).toEqual(above(40));
    // The user's own goes for each leg, of whatever market.
    expect((await limitUser(player, 45)).status).toBe(200);
    expect(await refusal(player, { legs: [legs[0], legs[2]], stake: 6 })).toEqual(aboveOn(1, 5));
    expect(await refusal(player, { legs: [legs[2], legs[1]], stake: 1 })).toEqual(aboveOn(2, 0));
    expect((await player.bet({ legs: [legs[0], legs[2]], stake: 5 })).status).toBe(201);
    expect(await refusal(player, { ...homeWins(one), stake: 1 })).toEqual(above(0));
  });

  it("is the lower of the market's and the user's own", async () => {
    const [player, game] = [await aPlayer(), await aGame()];
    expect((await limitUser(player, 50)).status).toBe(200);
    expect(await refusal(player, { ...homeWins(game), stake: 51 })).toEqual(above(50));
    await limitMarket(game.moneyline.id, 20);
    expect(await refusal(player, { ...homeWins(game), stake: 21 })).toEqual(above(20));
    await limitMarket(game.moneyline.id, 80);
    expect(await refusal(player, { ...homeWins(game), stake: 60 })).toEqual(above(50));
    expect((await player.bet({ ...legOn(game.total, 'over'), stake: 50 })).status).toBe(201);
    expect(await refusal(player, { ...legOn(game.total, 'under'), stake: 1 })).toEqual(above(0));
    await limitUser(player, null);
    expect((await player.bet({ ...homeWins(game), stake: 80 })).status).toBe(201);
    await limitUser(player, 0);
    expect(await refusal(player, { ...legOn(game.spread, 'home'), stake: 1 })).toEqual(above(0));
  });

  it('holds for every bet that is in flight once it is committed', async () => {
    const [player, game] = [await aPlayer(), await aGame()];
    const subject = aSubject(admin.userId, 'admin');
    let set = false;
    let acceptedAfter = 0;
    const loops = Array.from({ length: 10 }, async () => {
      for (let n = 0; n < 15; n += 1) {
        const sentAfter = set;
        const { status } = await player.bet({ ...homeWins(game), stake: 1 });
        if (status === 201 && sentAfter) acceptedAfter += 1;
      }
    });
    await new Promise((resolve) => setTimeout(resolve, 40));
    await system.app.get(StakeLimitsService).set(subject, player.userId, { maxStake: 0, reason: 'test' });
    const before = (await betsOf(system, player.userId)).length;
    set = true;
    await Promise.all(loops);
    expect(acceptedAfter).toBe(0);
    expect((await betsOf(system, player.userId)).length).toBe(before);
  });

  it('is read after the member is waited for', async () => {
    const [player, game] = [await aPlayer(), await aGame()];
    await limitMarket(game.moneyline.id, 100);
    const release = await holding(system, 'SELECT FROM pool_members WHERE user_id = $1 FOR UPDATE', [
      player.userId,
    ]);
    const bets = Array.from({ length: 3 }, () => player.bet({ ...homeWins(game), stake: 60 }));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await release();
    expect((await Promise.all(bets)).filter(({ status }) => status === 201)).toHaveLength(1);
  });

  it('comes after the largest stake and before the largest payout, which comes before the balance', async () => {
    const [player, game] = [await aPlayer(), await aGame()];
    const oddsId = await reprice(system, game.moneyline, 'home', { decimal: '9' });
    const bet = { ...homeWins(game), oddsId };
    await limitMarket(game.moneyline.id, 600);
    expect(await refusal(player, { ...bet, stake: 1001 })).toEqual([
      'STAKE_TOO_LARGE',
      { field: 'stake', maximum: 1000 },
    ]);
    expect(await refusal(player, { ...bet, stake: 700 })).toEqual(above(600));
    await player.bet({ ...legOn(game.total, 'over'), stake: 500 });
    expect(await refusal(player, { ...bet, stake: 556 })).toEqual([
      'PAYOUT_TOO_LARGE',
      { field: 'stake', maximum: 555 },
    ]);
    expect(await refusal(player, { ...bet, stake: 555 })).toEqual([
      'INSUFFICIENT_CREDITS',
      { field: 'stake', available: 500 },
    ]);
    expect((await player.bet({ ...bet, stake: 500 })).data.potentialPayout).toBe(4500);
  });

  it('is a refusal, not a failure, at a price that no bigint holds a payout of', async () => {
    const [player, game]: [Client, TestGame] = [await aPlayer(), await aGame()];
    await system.db.query(
      "UPDATE market_prices SET price_num = 9000000000000000000, price_den = 1 WHERE market_id = $1 AND outcome = 'home'",
      [game.moneyline.id],
    );
    const outcome = await refusal(player, { ...homeWins(game), stake: 10 });
    expect(outcome).toEqual(['PAYOUT_TOO_LARGE', { field: 'stake', maximum: 0 }]);
    const other = await aGame();
    expect(await refusal(player, { legs: [homeWins(game), homeWins(other)], stake: 10 })).toEqual(outcome);
  });

  it('kept every credit', async () => {
    expect(await unbalanced(system)).toEqual([]);
  });
});
