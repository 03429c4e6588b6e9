import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { nextWeekId, weekBounds } from '../../src/modules/pools/domain/calendar.js';
import { WeeksService } from '../../src/modules/pools/weeks.service.js';
import { Builders, type TestGame, unbalanced } from '../support/builders.js';
import type { Answer, Client } from '../support/client.js';
import { Deliveries } from '../support/deliveries.js';
import { bothGradings, brokenHistories } from '../support/fresh-grades.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import type { System } from '../support/system.js';

const HOUR_MS = 3_600_000;
const KINDS = ['moneyline', 'spread', 'total'] as const;

const score = fc.integer({ min: 0, max: 40 });
const result = fc.oneof(
  { weight: 6, arbitrary: fc.record({ status: fc.constant('final'), homeScore: score, awayScore: score }) },
  { weight: 1, arbitrary: fc.record({ status: fc.constant('cancelled') }) },
  {
    weight: 1,
    arbitrary: fc.record({
      status: fc.constant('abandoned'),
      homeScore: score,
      awayScore: score,
      minutesPlayed: fc.integer({ min: 50, max: 60 }),
    }),
  },
);

const week = fc.record({
  players: fc.integer({ min: 2, max: 11 }),
  // Each kicks off on a day of its own, the first on Tuesday.
  games: fc.array(
    fc.record({
      spread: fc.integer({ min: -20, max: 20 }).map((quarters) => (quarters / 4).toFixed(2)),
      total: fc.integer({ min: 120, max: 200 }).map((quarters) => (quarters / 4).toFixed(2)),
      american: fc.constantFrom(-110, -145, 100, 128, 310),
      result,
    }),
    { minLength: 2, maxLength: 5 },
  ),
  // What happens in the day before each kick-off.
  steps: fc.array(
    fc.oneof(
      {
        weight: 8,
        arbitrary: fc.record({
          do: fc.constant('bet' as const),
          player: fc.nat(10),
          game: fc.nat(4),
          kind: fc.constantFrom(...KINDS),
          first: fc.boolean(),
          share: fc.constantFrom(10, 50, 100, 100, 100),
        }),
      },
      {
        weight: 3,
        arbitrary: fc.record({
          do: fc.constant('buy back' as const),
          player: fc.nat(10),
          broke: fc.boolean(),
        }),
      },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('correct' as const), game: fc.nat(4), result }) },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constant('void' as const),
          game: fc.nat(4),
          kind: fc.constantFrom(...KINDS),
        }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('deliver' as const), twice: fc.boolean() }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('next day' as const), deliver: fc.boolean() }) },
    ),
    { minLength: 20, maxLength: 60 },
  ),
});

type Week = typeof week extends fc.Arbitrary<infer T> ? T : never;

/** One in which everything happens once: all is lost, bought back, corrected and voided. */
const EVENTFUL: Week = {
  players: 5,
  games: [1, 2].map(() => ({
    spread: '-3.25',
    total: '44.75',
    american: -110,
    result: { status: 'final', homeScore: 20, awayScore: 10 },
  })),
  steps: [
    { do: 'bet', player: 0, game: 0, kind: 'moneyline', first: false, share: 100 },
    { do: 'bet', player: 1, game: 0, kind: 'moneyline', first: true, share: 100 },
    { do: 'next day', deliver: true },
    { do: 'buy back', player: 0, broke: true },
    { do: 'bet', player: 1, game: 0, kind: 'total', first: true, share: 100 },
    { do: 'correct', game: 0, result: { status: 'final', homeScore: 10, awayScore: 20 } },
    { do: 'deliver', twice: true },
    { do: 'void', game: 1, kind: 'total' },
  ],
};

/** What an operation may be refused with here; anything else is a failure of the test. */
const REFUSALS: Record<string, string[]> = {
  bet: ['INSUFFICIENT_CREDITS', 'GAME_STARTED', 'MARKET_NOT_OPEN', 'STAKE_TOO_SMALL', 'VALIDATION_FAILED'],
  'buy back': ['BUY_BACK_CLOSED', 'BUY_BACK_ALREADY_USED', 'BUY_BACK_BALANCE_NOT_ZERO', 'BUY_BACK_BETS_OPEN'],
  correct: ['GAME_NOT_STARTED'],
  void: ['MARKET_STATE_CONFLICT'],
};

describe('the credits and prizes of any week', () => {
  let system: System;
  let make: Builders;
  let admin: Client;
  let weekId = 202339;
  const happened = new Map<string, number>();

  beforeAll(async () => {
    system = await startSystemWithRules(
      { pools: { maxSize: 4 }, prizes: { potPerPool: 997, minStaked: 200 }, settlement: { chunkBets: 4 } },
      { worker: false, at: '2023-09-27T12:00:00Z' },
    );
    make = new Builders(system);
    admin = await make.admin();
  });
  afterAll(async () => system.stop());

  function note(what: string, answer: Answer): void {
    const how = answer.status < 300 ? 'done' : answer.error.code;
    if (how !== 'done') expect([what, REFUSALS[what]]).toEqual([what, expect.arrayContaining([how])]);
    happened.set(`${what}: ${how}`, (happened.get(`${what}: ${how}`) ?? 0) + 1);
  }

  async function play(plan: Week): Promise<void> {
    weekId = nextWeekId(weekId);
    const { startsAt, endsAt } = weekBounds(weekId);
    const deliveries = new Deliveries(system);
    await make.week(weekId, { group: false });
    const players = await make.players(plan.players, { pass: weekId });
    await system.moveTo(startsAt);
    await make.week(weekId);
    const kickOff = (index: number) => new Date(startsAt.getTime() + (40 + 24 * index) * HOUR_MS);
    const games: TestGame[] = [];
    for (const [index, { spread, total, american }] of plan.games.entries())
      games.push(await make.game({ startsAt: kickOff(index).toISOString(), spread, total, american }));

    let day = 0;
    const nextDay = async () => {
      const game = games[day];
      if (!game) return;
      await system.moveTo(new Date(kickOff(day).getTime() + 4 * HOUR_MS));
      const said = { ...plan.games[day]!.result, reason: 'the result' };
      expect((await admin.post(`admin/games/${game.id}/result`, said)).status).toBe(200);
      day += 1;
    };
    for (const step of plan.steps) {
      if (step.do === 'next day') {
        await nextDay();
        if (step.deliver) await deliveries.all();
      } else if (step.do === 'deliver') {
        const waiting = await deliveries.waiting();
        await Promise.all(
          (step.twice ? [...waiting, ...waiting] : waiting).map((one) => deliveries.hand(one)),
        );
      } else if (step.do === 'bet') {
        const player = players[step.player % players.length]!;
        // Mostly one that is yet to come.
        const from = Math.min(day, games.length - 1);
        const game = games[from + (step.game % (games.length - from))]!;
        const market = game[step.kind];
        const outcome = (step.kind === 'total' ? ['over', 'under'] : ['home', 'away'])[step.first ? 0 : 1]!;
        const { credits } = (await player.get('me')).data.pool;
        const stake = Math.min(1000, Math.ceil((credits * step.share) / 100));
        note('bet', await player.bet({ marketId: market.id, outcome, stake, oddsId: market.odds[outcome] }));
      } else if (step.do === 'buy back') {
        const { rows } = await system.db.query<{ user_id: string }>(
          'SELECT user_id FROM pool_members WHERE week_id = $1 ORDER BY balance, bets_open, user_id LIMIT 1',
          [weekId],
        );
        const userId = step.broke ? rows[0]!.user_id : players[step.player % players.length]!.userId;
        const options = { key: randomUUID() };
        note('buy back', await admin.post(`admin/users/${userId}/pass`, { kind: 'buy_back' }, options));
      } else {
        const game = games[step.game % games.length]!;
        const [path, body] =
          step.do === 'void'
            ? [`admin/markets/${game[step.kind].id}/void`, { reason: 'wrong' }]
            : [`admin/games/${game.id}/result`, { ...step.result, reason: 'said otherwise' }];
        // A game that is yet to come keeps its result for its day.
        if (step.do === 'void' || games.indexOf(game) < day) note(step.do, await admin.post(path, body));
      }
    }
    while (day < games.length) await nextDay();
    await system.moveTo(endsAt);
    await system.app.get(WeeksService).close(weekId);
    await deliveries.all();
    await holds(players);
  }

  async function holds(players: readonly Client[]): Promise<void> {
    expect((await admin.get(`weeks/${weekId}`)).data.status).toBe('settled');
    expect(await unbalanced(system)).toEqual([]);
    expect(await brokenHistories(system)).toEqual([]);
    const { stored, fresh } = await bothGradings(
      system,
      players.map(({ userId }) => userId),
    );
    expect(stored).toEqual(fresh);
    const { rows: pools } = await system.db.query<{ size: number; members: number; open: number }>(
      `SELECT p.size, count(m.*)::int AS members, sum(m.bets_open)::int AS open
       FROM pools p JOIN pool_members m ON m.pool_id = p.id WHERE p.week_id = $1 GROUP BY p.id`,
      [weekId],
    );
    expect(pools.reduce((sum, pool) => sum + pool.members, 0)).toBe(players.length);
    for (const pool of pools) expect(pool).toEqual({ size: pool.members, members: pool.members, open: 0 });
    const { rows: pots } = await system.db.query(
      `SELECT t.amount - t.carried_out - coalesce((SELECT sum(amount) FROM prizes z WHERE z.pool_id = t.pool_id), 0) AS missing,
              t.amount - t.carried_in AS own
       FROM prize_pots t WHERE t.week_id = $1`,
      [weekId],
    );
    expect(pots).toEqual(pools.map(() => ({ missing: '0', own: '997' })));
    // Whatever was put into pots since the beginning is in somebody's prize or still carried on.
    const { rows: all } = await system.db.query(
      `SELECT count(*) * 997 - (SELECT coalesce(sum(amount), 0) FROM prizes) - sum(carried_out) + sum(carried_in) AS lost
       FROM prize_pots`,
    );
    expect(all).toEqual([{ lost: '0' }]);
    const { rows: table } = await system.db.query(
      `SELECT s.user_id FROM leaderboard_snapshots s JOIN pool_members m USING (pool_id, user_id)
       WHERE s.week_id = $1 AND s.credits = m.balance - m.debt`,
      [weekId],
    );
    expect(table).toHaveLength(players.length);
  }

  it('are kept to the last unit, whatever happens in it', async () => {
    await fc.assert(fc.asyncProperty(week, play), { numRuns: 14, examples: [[EVENTFUL]] });
    const done = Object.fromEntries(happened);

    for (const what of ['bet', 'correct', 'void', 'buy back']) expect(done).toHaveProperty([`${what}: done`]);
  });
});
