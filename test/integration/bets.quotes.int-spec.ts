import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ComplianceService } from '../../src/modules/compliance/compliance.service.js';
import { type Builders, type TestGame, unbalanced } from '../support/builders.js';
import type { Answer, Client } from '../support/client.js';
import { fingerprint } from '../support/fingerprint.js';
import { startPlayedWeek, WEEK } from '../support/played-week.js';
import { homeWins, legOn, reprice, type TestLeg } from '../support/slips.js';
import type { System } from '../support/system.js';

const SUNDAY = '2023-10-08T17:00:00Z';

let system: System;
let make: Builders;

beforeAll(async () => {
  ({ system, make } = await startPlayedWeek({
    pools: { minStake: 5, maxStake: 600 },
    bets: { maxPayout: 20_000 },
  }));
});
afterAll(async () => system.stop());

const aPlayer = async () => make.member(WEEK);
const games = async (count: number) => make.games(count, { startsAt: SUNDAY });

const quote = (player: Client, body: object) => player.post('bets/quote', body);

describe('a quote', () => {
  it('tells the price now, the payout and the limits, and changes nothing', async () => {
    const player = await aPlayer();
    const [game] = (await games(1)) as [TestGame];
    await system.db.query('UPDATE markets SET max_stake = 400 WHERE id = $1', [game.moneyline.id]);
    await player.bet({ ...homeWins(game), stake: 150 });
    const shown = homeWins(game);
    const now = await reprice(system, game.moneyline, 'home', { american: 120 });
    const before = await fingerprint(system);
    const { status, data } = await quote(player, { ...shown, stake: 50, acceptOdds: 'better' });
    expect([status, data]).toEqual([
      200,
      {
        kind: 'single',
        legs: [
          {
            gameId: game.id,
            marketId: game.moneyline.id,
            outcome: 'home',
            odds: { oddsId: now, american: 120, decimal: '2.2000' },
            changed: true,
          },
        ],
        price: { exact: '11/5', decimal: '2.2000', american: 120 },
        changed: true,
        stake: 50,
        payout: 110,
        profit: 60,
        limits: {
          minStake: 5,
          maxStake: 600,
          maxPayout: 20_000,
          marketRoom: 250,
          balance: 850,
          largestStake: 250,
        },
        refusals: [],
      },
    ]);
    const exact = await quote(player, { ...shown, stake: 700 });
    expect(exact.data.refusals.map(({ code }: { code: string }) => code)).toEqual([
      'STAKE_TOO_LARGE',
      'ABOVE_MARKET_MAX',
      'ODDS_CHANGED',
    ]);
    expect(await fingerprint(system)).toEqual(before);
  });

  it('of a parlay tells the product, and nothing of a market that is not there', async () => {
    const player = await aPlayer();
    const all = await games(2);
    const { data } = await quote(player, { legs: all.map(homeWins), stake: 100 });
    expect(data).toMatchObject({
      kind: 'parlay',
      price: { exact: '441/121', decimal: '3.6446', american: 264 },
      payout: 364,
      profit: 264,
      refusals: [],
    });
    expect(data.limits.marketRoom).toBeNull();
    const unknown = { marketId: randomUUID(), outcome: 'home', oddsId: randomUUID() };
    const blind = await quote(player, { legs: [homeWins(all[0]!), unknown], stake: 100 });
    expect(blind.data).toMatchObject({ price: null, payout: null, profit: null, changed: true });
    expect(blind.data.legs[1]).toEqual({
      gameId: null,
      marketId: unknown.marketId,
      outcome: 'home',
      odds: null,
      changed: true,
    });
    expect(blind.data.refusals).toEqual([
      { code: 'MARKET_NOT_FOUND', details: { leg: 2, marketId: unknown.marketId } },
    ]);
  });

  it('of who is in no pool says so', async () => {
    const [outsider] = (await make.players(1)) as [Client];
    const [game] = (await games(1)) as [TestGame];
    const { data } = await quote(outsider, { ...homeWins(game), stake: 50 });
    expect(data.refusals).toEqual([{ code: 'NOT_IN_POOL', details: { week: WEEK } }]);
    expect(data.limits).toMatchObject({ balance: null, largestStake: 0 });
  });

  interface Case {
    parlay: number;
    changes: string[];
    at: number;
    stake: number | { toWin: number };
    accept: string | undefined;
    poor: number;
  }

  const CHANGES = [
    'suspended',
    'started',
    'elsewhere',
    'better',
    'worse',
    'noOdds',
    'wrongOdds',
    'outcome',
    'market',
    'max',
    'userMax',
    'dear',
    'same',
  ];
  const cases = fc.record<Case>({
    parlay: fc.constantFrom(1, 1, 2, 3, 5),
    changes: fc.subarray(CHANGES, { maxLength: 3 }),
    at: fc.nat(4),
    stake: fc.oneof(
      fc.integer({ min: 1, max: 700 }),
      fc.record({ toWin: fc.integer({ min: 1, max: 2000 }) }),
    ),
    accept: fc.constantFrom(undefined, 'exact', 'better', 'any'),
    poor: fc.constantFrom(0, 0, 400, 999),
  });

  async function apply(
    change: string,
    player: Client,
    game: TestGame,
    legs: TestLeg[],
    at: number,
  ): Promise<void> {
    const leg = legs[at]!;
    const { moneyline } = game;
    const sql = (text: string, ...values: unknown[]) => system.db.query(text, values);
    switch (change) {
      case 'suspended':
        await sql("UPDATE markets SET status = 'suspended' WHERE id = $1", moneyline.id);
        break;
      case 'started':
        await sql("UPDATE games SET status = 'in_progress' WHERE id = $1", game.id);
        break;
      case 'elsewhere':
        await sql("UPDATE games SET starts_at = starts_at + interval '7 days' WHERE id = $1", game.id);
        break;
      case 'better':
        await reprice(system, moneyline, 'home', { american: 130 });
        break;
      case 'worse':
        await reprice(system, moneyline, 'home', { american: -250 });
        break;
      case 'dear':
        leg.oddsId = await reprice(system, moneyline, 'home', { decimal: '90' });
        break;
      case 'noOdds':
        delete leg.oddsId;
        break;
      case 'wrongOdds':
        leg.oddsId = moneyline.odds['away']!;
        break;
      case 'outcome':
        leg.outcome = 'draw';
        break;
      case 'market':
        leg.marketId = randomUUID();
        break;
      case 'max':
        await sql('UPDATE markets SET max_stake = 100 WHERE id = $1', moneyline.id);
        break;
      case 'userMax':
        await sql('INSERT INTO user_stake_limits VALUES ($1, 30, now())', player.userId);
        break;
      case 'same':
        if (legs.length > 1) legs[(at + 1) % legs.length] = legOn(game.total, 'over');
        break;
    }
  }

  const PLAIN: Case = { parlay: 2, changes: [], at: 1, stake: 50, accept: undefined, poor: 0 };
  /** So that each code is met, whatever else is tried. */
  const EXAMPLES: Partial<Case>[] = [
    {},
    { stake: { toWin: 60 } },
    { parlay: 1, stake: { toWin: 60 } },
    ...CHANGES.map((change) => ({ changes: [change] })),
    ...CHANGES.map((change) => ({ changes: [change], parlay: 1 })),
    { stake: 1 },
    { stake: 700 },
    { changes: ['dear'], parlay: 1, stake: 590 },
    { poor: 999 },
    { changes: ['noOdds'], stake: { toWin: 60 } },
    { changes: ['wrongOdds'], stake: { toWin: 60 } },
  ];

  type Told = { code: string; details: unknown } | { stake: number; payout: number; decimal: string };

  function ofQuote({ data, error }: Answer): Told {
    if (error) return { code: error.code, details: error.details };
    return data.refusals[0] ?? { stake: data.stake, payout: data.payout, decimal: data.price.decimal };
  }

  function ofPlacing({ data, error }: Answer): Told {
    if (error) return { code: error.code, details: error.details };
    return { stake: data.stake, payout: data.potentialPayout, decimal: data.odds.decimal };
  }

  it('tells what placing the same then answers, whatever stands against it', async () => {
    const met = new Set<string>();
    await fc.assert(
      fc.asyncProperty(cases, async ({ parlay, changes, at, stake, accept, poor }) => {
        const player = await aPlayer();
        const all = await games(parlay);
        const legs = all.map(homeWins);
        const index = at % parlay;
        await system.db.query(
          'UPDATE pool_members SET balance = balance - $2, staked = staked + $2 WHERE user_id = $1',
          [player.userId, poor],
        );
        for (const change of changes) await apply(change, player, all[index]!, legs, index);
        const body = {
          ...(parlay === 1 ? legs[0] : { legs }),
          ...(typeof stake === 'number' ? { stake } : stake),
          ...(accept === undefined ? {} : { acceptOdds: accept }),
        };
        const [quoted, placed] = [await quote(player, body), await player.bet(body)];
        await system.db.query(
          'UPDATE pool_members SET balance = balance + $2, staked = staked - $2 WHERE user_id = $1',
          [player.userId, poor],
        );
        const [told, came] = [ofQuote(quoted), ofPlacing(placed)];
        expect(came).toEqual(told);
        met.add('code' in came ? came.code : 'placed');
        const wins = typeof stake === 'number' ? 0 : stake.toWin;
        const { limits, changed, profit } = quoted.data ?? {};
        // What is taken is not above the largest stake, and wins as much as was asked for at the price that was named.
        expect('code' in came || (limits.largestStake >= came.stake && (changed || profit >= wins))).toBe(
          true,
        );
      }),
      { numRuns: 200, examples: EXAMPLES.map((one) => [{ ...PLAIN, ...one }]) },
    );
    for (const code of [
      'placed',
      'MARKET_NOT_FOUND',
      'MARKET_NOT_OPEN',
      'GAME_STARTED',
      'GAME_NOT_IN_WEEK',
      'OUTCOME_UNKNOWN',
      'PARLAY_SAME_GAME',
      'STAKE_TOO_SMALL',
      'STAKE_TOO_LARGE',
      'ABOVE_MARKET_MAX',
      'PAYOUT_TOO_LARGE',
      'INSUFFICIENT_CREDITS',
      'ODDS_UNKNOWN',
      'ODDS_CHANGED',
      'VALIDATION_FAILED',
    ])
      expect(met).toContain(code);
  }, 120_000);

  it('tells the largest stake: it is taken, and one more is not', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(1, 3),
        fc.integer({ min: 1010, max: 80_000 }),
        fc.constantFrom(null, 40, 300),
        async (parlay, price, max) => {
          const player = await aPlayer();
          const all = await games(parlay);
          const oddsId = await reprice(system, all[0]!.moneyline, 'home', {
            decimal: (price / 1000).toFixed(3),
          });
          await system.db.query('UPDATE markets SET max_stake = $2 WHERE id = $1', [
            all[0]!.moneyline.id,
            max,
          ]);
          const legs = all.map(homeWins);
          legs[0]!.oddsId = oddsId;
          const body = parlay === 1 ? legs[0]! : { legs };
          const largestStake = Number((await quote(player, { ...body, stake: 5 })).data.limits.largestStake);
          const more = await player.bet({ ...body, stake: largestStake + 1 });
          expect([
            'STAKE_TOO_LARGE',
            'ABOVE_MARKET_MAX',
            'PAYOUT_TOO_LARGE',
            'INSUFFICIENT_CREDITS',
          ]).toContain(more.error.code);
          expect((await player.bet({ ...body, stake: largestStake })).status).toBe(201);
        },
      ),
      { numRuns: 40 },
    );
  }, 60_000);

  it('is refused at the door to who may not bet at all, as betting is', async () => {
    const player = await aPlayer();
    const [game] = (await games(1)) as [TestGame];
    await system.db.query("UPDATE users SET birth_date = '2010-01-01' WHERE id = $1", [player.userId]);
    await system.app.get(ComplianceService).exclude(player.userId, null);
    const body = { ...homeWins(game), stake: 10 };
    const [quoted, placed] = [await quote(player, body), await player.bet(body)];
    expect([quoted.status, quoted.error?.code]).toEqual([403, placed.error.code]);
  });

  it('kept every credit', async () => {
    expect(await unbalanced(system)).toEqual([]);
  });
});

describe('toWin', () => {
  it.each([
    { american: -110, toWin: 100, stake: 110, payout: 210 },
    { american: 120, toWin: 61, stake: 51, payout: 112 },
    { american: 100, toWin: 7, stake: 7, payout: 14 },
  ])('$toWin at $american stakes $stake', async ({ american, toWin, stake, payout }) => {
    const player = await aPlayer();
    const [game] = (await games(1)) as [TestGame];
    const oddsId = await reprice(system, game.moneyline, 'home', { american });
    const { data } = await player.bet({ ...homeWins(game), oddsId, toWin });
    expect([data.stake, data.potentialPayout]).toEqual([stake, payout]);
  });

  it('is meant at the price that is named, also where another is accepted; a replay stakes the same', async () => {
    const player = await aPlayer();
    const [game] = (await games(1)) as [TestGame];
    const shown = homeWins(game);
    await reprice(system, game.moneyline, 'home', { american: 200 });
    const key = randomUUID();
    const body = { ...shown, toWin: 100, acceptOdds: 'better' };
    const first = await player.bet(body, key);
    expect([first.data.stake, first.data.potentialPayout]).toEqual([110, 330]);
    await reprice(system, game.moneyline, 'home', { american: -400 });
    const again = await player.bet(body, key);
    expect([again.status, again.body]).toEqual([201, first.body]);
  });

  it('beyond every stake is refused as too large', async () => {
    const player = await aPlayer();
    const [game] = (await games(1)) as [TestGame];
    const oddsId = await reprice(system, game.moneyline, 'home', { american: -1_000_000 });
    const { error } = await player.bet({ ...homeWins(game), oddsId, toWin: 1_000_000_000 });
    expect(error.code).toBe('STAKE_TOO_LARGE');
  });

  it('at a price that is none names the leg', async () => {
    const player = await aPlayer();
    const all = await games(2);
    const legs = all.map(homeWins);
    legs[1]!.oddsId = randomUUID();
    const { error } = await player.bet({ legs, toWin: 10 });
    expect([error.code, error.details]).toEqual(['ODDS_UNKNOWN', { leg: 2, field: 'oddsId' }]);
  });

  it('at a price that is none is refused in its place: after the stake and what bars the user, before the key is used', async () => {
    const player = await aPlayer();
    const [game] = (await games(1)) as [TestGame];
    const bet = { ...homeWins(game), oddsId: randomUUID(), toWin: 10, acceptOdds: 'any' };
    const whyNot = async (body: object) => (await player.bet(body)).error.code;
    expect(await whyNot(bet)).toBe('ODDS_UNKNOWN');
    expect(await whyNot({ ...bet, outcome: 'draw' })).toBe('OUTCOME_UNKNOWN');
    await system.db.query("UPDATE markets SET status = 'suspended' WHERE id = $1", [game.moneyline.id]);
    expect(await whyNot(bet)).toBe('MARKET_NOT_OPEN');
    await system.db.query("UPDATE markets SET status = 'open' WHERE id = $1", [game.moneyline.id]);
    await system.app.get(ComplianceService).exclude(player.userId, null);
    expect(await whyNot(bet)).toBe('SELF_EXCLUDED');
    expect((await quote(player, bet)).error.code).toBe('SELF_EXCLUDED');
  });

  it('is answered as before to the same key, also where its price is gone', async () => {
    const player = await aPlayer();
    const all = await games(2);
    for (const shown of [homeWins(all[0]!), { legs: all.map(homeWins) }]) {
      const key = randomUUID();
      const first = await player.bet({ ...shown, toWin: 100 }, key);
      expect(first.status).toBe(201);
      // Prices are kept for ever today: as if this one had not been.
      await withoutPrices(async () => {
        const again = await player.bet({ ...shown, toWin: 100 }, key);
        expect([again.status, again.body]).toEqual([201, first.body]);
        // Not even at the current price, which has the id that is named.
        expect((await player.bet({ ...shown, toWin: 100 })).error.code).toBe('ODDS_UNKNOWN');
      });
    }
  });
});

/** Runs it as if no price had ever been: the table that keeps them is empty meanwhile. */
async function withoutPrices(work: () => Promise<void>): Promise<void> {
  await system.db.query('ALTER TABLE odds RENAME TO odds_kept');
  await system.db.query('CREATE TABLE odds (LIKE odds_kept INCLUDING DEFAULTS)');
  try {
    await work();
  } finally {
    await system.db.query('DROP TABLE odds');
    await system.db.query('ALTER TABLE odds_kept RENAME TO odds');
  }
}
