import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { ParlayPlacing1763700000042 } from '../../migrations/1763700000042-parlay-placing.js';
import { BetsPlayedRepository } from '../../src/modules/bets/bets-played.repository.js';
import { ComplianceService } from '../../src/modules/compliance/compliance.service.js';
import { Builders, type TestGame, unbalanced } from '../support/builders.js';
import type { Answer, Client } from '../support/client.js';
import { startPlayedWeek, WEEK } from '../support/played-week.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import { betsOf, creditsOf, homeWins, reprice, voidMoneyline } from '../support/slips.js';
import type { System } from '../support/system.js';

const SUNDAY = '2023-10-08T17:00:00Z';
/** Longer than a test takes: the clock runs. */
const WINDOW = 300;

describe('taking a bet back', () => {
  let system: System;
  let make: Builders;

  beforeAll(async () => {
    ({ system, make } = await startPlayedWeek({
      bets: { cancelWindowSeconds: WINDOW, cancelsPerWeek: 100 },
    }));
  });
  afterAll(async () => system.stop());

  const aPlayer = async () => make.member(WEEK);
  const games = async (count: number) => make.games(count, { startsAt: SUNDAY });

  const cancel = (player: Client, id: string) => player.post(`bets/${id}/cancel`);
  const whyNot = ({ status, error }: Answer) => [status, error?.code, error?.details];

  const FRESH = { balance: 1000, staked: 0, debt: 0, placed: 1, open: 0 };

  it.each([
    { kind: 'single', legs: 1 },
    { kind: 'parlay', legs: 3 },
  ])('of a $kind gives the stake back as if it had not been placed', async ({ kind, legs }) => {
    const player = await aPlayer();
    const on = (await games(legs)).map(homeWins);
    const { data } = await player.bet(legs === 1 ? { ...on[0], stake: 400 } : { legs: on, stake: 400 });
    expect((await player.get('bets')).data[0].status).toBe('placed');
    const { status, data: bet } = await cancel(player, data.betId);
    expect([status, bet.kind, bet.status, bet.payout, bet.reason, bet.stake]).toEqual([
      200,
      kind,
      'cancelled',
      null,
      'CANCELLED_BY_USER',
      400,
    ]);
    expect(bet.settledAt).toEqual(expect.any(String));
    expect((await player.get('bets')).data).toEqual([bet]); // not the page of before
    expect(await creditsOf(system, player.userId)).toEqual(FRESH);
    const again = await cancel(player, data.betId);
    expect([again.status, again.data]).toEqual([200, bet]);
    expect(await creditsOf(system, player.userId)).toEqual(FRESH);
  });

  it('100 times at once is once, with 100 equal answers', async () => {
    const player = await aPlayer();
    const legs = (await games(2)).map(homeWins);
    const bets = [await player.bet({ legs, stake: 300 }), await player.bet({ ...legs[0], stake: 200 })];
    for (const { data } of bets) {
      const answers = await Promise.all(Array.from({ length: 100 }, () => cancel(player, data.betId)));
      expect(new Set(answers.map((answer) => JSON.stringify([answer.status, answer.data]))).size).toBe(1);
      expect(answers[0]!.data.status).toBe('cancelled');
    }
    expect(await creditsOf(system, player.userId)).toEqual({ ...FRESH, placed: 2 });
  });

  it('repays first what a correction could not take', async () => {
    const player = await aPlayer();
    const [game] = (await games(1)) as [TestGame];
    const { data } = await player.bet({ ...homeWins(game), stake: 1000 });
    await system.db.query(
      'UPDATE pool_members SET debt = 150, paid_out = paid_out - 150 WHERE user_id = $1',
      [player.userId],
    );
    await cancel(player, data.betId);
    expect(await creditsOf(system, player.userId)).toMatchObject({ balance: 850, debt: 0, staked: 0 });
    await system.db.query(
      'UPDATE pool_members SET paid_out = paid_out + 150, balance = balance + 150 WHERE user_id = $1',
      [player.userId],
    );
  });

  it('is refused when its time is over, to the second', async () => {
    const player = await aPlayer();
    const [game] = (await games(1)) as [TestGame];
    const { data } = await player.bet({ ...homeWins(game), stake: 10 });
    const age = (seconds: number) =>
      system.db.query('UPDATE bets SET placed_at = parley_now() - make_interval(secs => $2) WHERE id = $1', [
        data.betId,
        seconds,
      ]);
    await age(WINDOW + 0.5);
    expect(whyNot(await cancel(player, data.betId))).toEqual([
      409,
      'BET_NOT_CANCELLABLE',
      { reason: 'WINDOW_OVER', seconds: WINDOW },
    ]);
    expect((await creditsOf(system, player.userId))['balance']).toBe(990);
    await age(WINDOW - 20);
    expect((await cancel(player, data.betId)).status).toBe(200);
  });

  it.each([0, 1, 2])(
    'is refused once the game of leg %i has started, by the clock or by its feed',
    async (at) => {
      const player = await aPlayer();
      const all = await games(3);
      const { data } = await player.bet({ legs: all.map(homeWins), stake: 10 });
      const started = { reason: 'GAME_STARTED' };
      await system.db.query("UPDATE games SET status = 'in_progress' WHERE id = $1", [all[at]!.id]);
      expect(whyNot(await cancel(player, data.betId))).toEqual([409, 'BET_NOT_CANCELLABLE', started]);
      await system.db.query("UPDATE games SET status = 'scheduled', starts_at = parley_now() WHERE id = $1", [
        all[at]!.id,
      ]);
      expect(whyNot(await cancel(player, data.betId))).toEqual([409, 'BET_NOT_CANCELLABLE', started]);
      expect((await creditsOf(system, player.userId))['balance']).toBe(990);
    },
  );

  it.each([
    { kind: 'single', legs: 1, at: 0 },
    { kind: 'parlay', legs: 3, at: 0 },
    { kind: 'parlay', legs: 3, at: 2 },
  ])(
    'of a $kind is refused once the price of leg $at is another, or its market takes no bets',
    async ({ legs, at }) => {
      const player = await aPlayer();
      const all = await games(legs);
      const on = all.map(homeWins);
      const moved = [409, 'BET_NOT_CANCELLABLE', { reason: 'MARKET_MOVED' }];
      const { moneyline } = all[at]!;
      const place = async () =>
        (await player.bet(legs === 1 ? { ...on[0], stake: 10 } : { legs: on, stake: 10 })).data
          .betId as string;
      const first = await place();
      for (const status of ['suspended', 'closed']) {
        await system.db.query('UPDATE markets SET status = $2 WHERE id = $1', [moneyline.id, status]);
        expect(whyNot(await cancel(player, first))).toEqual(moved);
      }
      await system.db.query("UPDATE markets SET status = 'open' WHERE id = $1", [moneyline.id]);
      // Better or worse; of the other outcome it says nothing.
      await reprice(system, moneyline, 'away', { american: 300 });
      expect((await cancel(player, first)).status).toBe(200);
      for (const american of [-300, 300]) {
        const id = await place();
        on[at] = { ...on[at]!, oddsId: await reprice(system, moneyline, 'home', { american }) };
        expect(whyNot(await cancel(player, id))).toEqual(moved);
      }
      // One that was taken at the price that is now.
      expect((await cancel(player, await place())).status).toBe(200);
      // What was taken back is answered as before.
      expect((await cancel(player, first)).status).toBe(200);
      expect((await creditsOf(system, player.userId))['balance']).toBe(980);
    },
  );

  it('is refused of what is graded, and of what an exclusion has given back', async () => {
    const player = await aPlayer();
    const [game] = (await games(1)) as [TestGame];
    const { data } = await player.bet({ ...homeWins(game), stake: 10 });
    await system.app.get(ComplianceService).exclude(player.userId, null);
    const { data: bet } = await player.get(`bets/${data.betId}`);
    if (bet.status === 'placed') await voidMoneyline(system, WEEK, game);
    expect(whyNot(await cancel(player, data.betId))).toEqual([
      409,
      'BET_NOT_CANCELLABLE',
      { reason: 'GRADED' },
    ]);
  });

  it("is of one's own bets only", async () => {
    const [player, other] = [await aPlayer(), await aPlayer()];
    const [game] = (await games(1)) as [TestGame];
    const { data } = await player.bet({ ...homeWins(game), stake: 10 });
    for (const [client, id] of [
      [other, data.betId],
      [player, '999999999'],
      [player, '9999999999999999999'],
    ] as const)
      expect(whyNot(await cancel(client, id))).toEqual([404, 'BET_NOT_FOUND', { betId: id }]);
    expect((await betsOf(system, player.userId))[0]!.status).toBe('placed');
  });

  it('against the grading of the same bets: each is one or the other, and every credit is there', async () => {
    const players = await Promise.all(Array.from({ length: 30 }, () => aPlayer()));
    for (let round = 0; round < 6; round += 1) {
      const [game] = (await games(1)) as [TestGame];
      const placed = await Promise.all(players.map((player) => player.bet({ ...homeWins(game), stake: 50 })));
      const ids = placed.map(({ data }) => data.betId as string);
      const taking = async (from: number, to: number, wait: number) =>
        await Promise.all(
          players.slice(from, to).map(async (player, n) => {
            await new Promise((resolve) => setTimeout(resolve, n * wait));
            return await cancel(player, ids[from + n]!);
          }),
        );
      // Some are sure to be before the grading and some after it; those between run against it.
      const early = await taking(0, 3, 0);
      const racing = taking(3, 27, 1);
      await new Promise((resolve) => setTimeout(resolve, 4 * round));
      const graded = voidMoneyline(system, WEEK, game);
      const between = await racing;
      await graded;
      const late = await taking(27, 30, 0);
      for (const [n, answer] of [...early, ...between, ...late].entries()) {
        const [row] = (await betsOf(system, players[n]!.userId)).filter(({ id }) => id === ids[n]);
        const told = answer.status === 200 ? 'cancelled' : answer.error.details['reason'];
        expect([told, row!.status]).toEqual(
          answer.status === 200 ? ['cancelled', 'cancelled'] : ['GRADED', 'void'],
        );
      }
      expect(early.map(({ status }) => status)).toEqual([200, 200, 200]);
      expect(late.map(({ status }) => status)).toEqual([409, 409, 409]);
      expect(await unbalanced(system)).toEqual([]);
    }
  }, 60_000);

  it('beside bets that are being placed, on the same row, ends with the credits that are left', async () => {
    const player = await aPlayer();
    const all = await games(3);
    const legs = all.map(homeWins);
    const refused: unknown[] = [];
    await Promise.all(
      Array.from({ length: 12 }, async (_, n) => {
        for (let round = 0; round < 6; round += 1) {
          const body = n % 2 === 0 ? { legs, stake: 20 } : { ...legs[n % 3], stake: 20 };
          const { status, data } = await player.bet(body);
          if (status === 201) refused.push((await cancel(player, data.betId)).error);
        }
      }),
    );
    expect(refused.filter((error) => error !== undefined)).toEqual([]);
    expect(await creditsOf(system, player.userId)).toMatchObject({ balance: 1000, staked: 0, open: 0 });
    expect(new Set((await betsOf(system, player.userId)).map(({ status }) => status))).toEqual(
      new Set(['cancelled']),
    );
  });

  it('counts in no figure of what was played', async () => {
    const player = await aPlayer();
    const [game] = (await games(1)) as [TestGame];
    const { data } = await player.bet({ ...homeWins(game), stake: 70 });
    await cancel(player, data.betId);
    await player.bet({ ...homeWins(game), stake: 30 });
    expect((await player.get('bets/exposure')).data).toMatchObject({ bets: 1, stake: 30 });
    expect((await player.get('bets?status=cancelled')).data).toHaveLength(1);
    expect((await player.get('bets?status=open')).data).toHaveLength(1);
    expect((await player.get('bets?status=settled')).data).toEqual([]);
    const played = await system.app.get(BetsPlayedRepository).since(player.userId, new Date(0), WEEK);
    expect(played).toEqual({ bets: 1, staked: '30', won: '0' });
  });

  it('is, as a parlay is, nothing that the schema before could hold: it is not unmade', async () => {
    const player = await aPlayer();
    const [game] = (await games(1)) as [TestGame];
    const { data } = await player.bet({ ...homeWins(game), stake: 10 });
    await cancel(player, data.betId);
    const runner = system.app.get(DataSource).createQueryRunner();
    await runner.startTransaction();
    try {
      await expect(new ParlayPlacing1763700000042().down(runner)).rejects.toThrow('go forward instead');
    } finally {
      await runner.rollbackTransaction();
      await runner.release();
    }
  });

  it('kept every credit', async () => {
    expect(await unbalanced(system)).toEqual([]);
  });
});

describe('taking a bet back where the pool does not allow it', () => {
  it('is refused, and says so', async () => {
    const system = await startSystemWithRules(
      { pools: { cancelBets: false } },
      { worker: false, at: '2023-10-03T12:00:00Z' },
    );
    try {
      const make = new Builders(system);
      await make.week(WEEK);
      const player = await make.member(WEEK);
      const game = await make.game({ startsAt: SUNDAY });
      const { data } = await player.bet({ ...homeWins(game), stake: 10 });
      const { status, error } = await player.post(`bets/${data.betId}/cancel`);
      expect([status, error.code, error.details]).toEqual([
        409,
        'BET_NOT_CANCELLABLE',
        { reason: 'POOL_RULES' },
      ]);
    } finally {
      await system.stop();
    }
  });
});

describe('taking bets back too often', () => {
  it('is refused, exactly from the next on, whatever comes at once; another player has their own', async () => {
    const system = await startSystemWithRules(
      { bets: { cancelWindowSeconds: WINDOW, cancelsPerWeek: 5 } },
      { worker: false, at: '2023-10-03T12:00:00Z' },
    );
    try {
      const make = new Builders(system);
      await make.week(WEEK);
      const players = (await make.members(2, WEEK)) as [Client, Client];
      const all = await make.games(2, { startsAt: SUNDAY });
      const legs = all.map(homeWins);
      const [player, other] = players;
      const ids: string[] = [];
      for (let n = 0; n < 12; n += 1) {
        const body = n % 2 === 0 ? { legs, stake: 10 } : { ...legs[0], stake: 10 };
        ids.push((await player.bet(body)).data.betId as string);
      }
      const answers = await Promise.all(ids.map((id) => player.post(`bets/${id}/cancel`)));
      const refused = answers.filter(({ status }) => status !== 200);
      expect(refused).toHaveLength(7);
      for (const { status, error } of refused)
        expect([status, error.code, error.details]).toEqual([
          409,
          'BET_NOT_CANCELLABLE',
          { reason: 'TOO_MANY', maximum: 5 },
        ]);
      expect(await creditsOf(system, player.userId)).toMatchObject({ balance: 930, staked: 70, open: 7 });
      // What was taken back stays so, and is answered as before.
      const [taken] = ids.filter((_, n) => answers[n]!.status === 200);
      expect((await player.post(`bets/${taken}/cancel`)).status).toBe(200);
      const { data } = await other.bet({ legs, stake: 10 });
      expect((await other.post(`bets/${data.betId}/cancel`)).status).toBe(200);
      expect(await unbalanced(system)).toEqual([]);
    } finally {
      await system.stop();
    }
  });
});
