import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BetsPlayedRepository } from '../../src/modules/bets/bets-played.repository.js';
import { ComplianceService } from '../../src/modules/compliance/compliance.service.js';
import { Builders, type TestGame, unbalanced } from '../support/builders.js';
import type { Answer, Client } from '../support/client.js';
import { joinPool } from '../support/members.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import { betsOf, creditsOf, homeWins, voidMoneyline } from '../support/slips.js';
import type { System } from '../support/system.js';

const WEEK = 202340;
const SUNDAY = '2023-10-08T17:00:00Z';
/** Longer than a test takes: the clock runs. */
const WINDOW = 300;

describe('taking a bet back', () => {
  let system: System;
  let make: Builders;

  beforeAll(async () => {
    system = await startSystemWithRules(
      { bets: { cancelWindowSeconds: WINDOW } },
      { worker: false, at: '2023-10-03T12:00:00Z' },
    );
    make = new Builders(system);
    await make.week(WEEK);
  });
  afterAll(async () => system.stop());

  async function aPlayer(): Promise<Client> {
    const [player] = (await make.players(1)) as [Client];
    await joinPool(system, WEEK, [player]);
    return player;
  }

  async function games(count: number): Promise<TestGame[]> {
    const made: TestGame[] = [];
    while (made.length < count) made.push(await make.game({ startsAt: SUNDAY }));
    return made;
  }

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
    const seen = new Set<string>();
    for (let round = 0; round < 6; round += 1) {
      const [game] = (await games(1)) as [TestGame];
      const placed = await Promise.all(players.map((player) => player.bet({ ...homeWins(game), stake: 50 })));
      const ids = placed.map(({ data }) => data.betId as string);
      const cancelling = players.map(async (player, n) => {
        await new Promise((resolve) => setTimeout(resolve, n));
        return await cancel(player, ids[n]!);
      });
      await new Promise((resolve) => setTimeout(resolve, 4 * round));
      const graded = voidMoneyline(system, WEEK, game);
      const answers = await Promise.all(cancelling);
      await graded;
      for (const [n, answer] of answers.entries()) {
        const [row] = (await betsOf(system, players[n]!.userId)).filter(({ id }) => id === ids[n]);
        const told = answer.status === 200 ? 'cancelled' : answer.error.details['reason'];
        seen.add(told as string);
        expect([told, row!.status]).toEqual(
          answer.status === 200 ? ['cancelled', 'cancelled'] : ['GRADED', 'void'],
        );
      }
      expect(await unbalanced(system)).toEqual([]);
    }
    expect(seen).toEqual(new Set(['cancelled', 'GRADED']));
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
      const [player] = (await make.players(1)) as [Client];
      await joinPool(system, WEEK, [player]);
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
