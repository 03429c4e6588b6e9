import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MarketsService } from '../../src/modules/sports/markets.service.js';
import { type Builders, type TestGame, unbalanced } from '../support/builders.js';
import type { Answer } from '../support/client.js';
import { holding, lockWaits } from '../support/crash.js';
import { startPlayedWeek, WEEK } from '../support/played-week.js';
import { betsOf, homeWins, legOn, spend, voidMoneyline } from '../support/slips.js';
import { aSubject } from '../support/subjects.js';
import { eventually, type System } from '../support/system.js';

const SUNDAY = '2023-10-08T17:00:00Z';

let system: System;
let make: Builders;

beforeAll(async () => {
  ({ system, make } = await startPlayedWeek({
    pools: { minStake: 10, maxStake: 800 },
    bets: { maxPayout: 50_000 },
  }));
});
afterAll(async () => system.stop());

const aPlayer = async () => make.member(WEEK);
const games = async (count: number) => make.games(count, { startsAt: SUNDAY });

/** Statements of this database that wait for a lock. */
const waiting = (count: number) => eventually(async () => (await lockWaits(system)) === count);

describe('parlays, all at once', () => {
  it('one of 500 parlays and singles of a whole balance is taken', async () => {
    const player = await aPlayer();
    const all = await games(4);
    await spend(system, player, 300);
    const bodies = Array.from({ length: 500 }, (_, n) =>
      n % 2 === 0
        ? { legs: [homeWins(all[n % 4]!), homeWins(all[(n + 1) % 4]!)], stake: 700 }
        : { ...homeWins(all[n % 4]!), stake: 700 },
    );
    const answers = await Promise.all(bodies.map((body) => player.bet(body)));
    const codes = Object.groupBy(answers, ({ status, error }) => (status === 201 ? 'ok' : error.code));
    expect(Object.fromEntries(Object.entries(codes).map(([code, list]) => [code, list?.length]))).toEqual({
      ok: 1,
      INSUFFICIENT_CREDITS: 499,
    });
    expect(await betsOf(system, player.userId)).toHaveLength(1);
    await spend(system, player, -300);
    expect(await unbalanced(system)).toEqual([]);
  }, 60_000);

  it('50 duplicates of a key are one parlay and 50 equal answers', async () => {
    const player = await aPlayer();
    const legs = (await games(3)).map(homeWins);
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 50 }, () => player.bet({ legs, stake: 30 }, key)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('idempotent-replayed') === 'true')).toHaveLength(49);
    expect(await betsOf(system, player.userId)).toMatchObject([{ stake: 30, legs: 3, rows: 3 }]);
    // Also when it could be placed no more.
    await system.db.query("UPDATE markets SET status = 'suspended' WHERE id = $1", [legs[0]!.marketId]);
    const again = await player.bet({ stake: 30, legs }, key);
    expect([again.status, again.body]).toEqual([201, answers[0]!.body]);
    for (const other of [
      { legs, stake: 31 },
      { ...legs[1], stake: 30 },
      { legs: legs.toReversed(), stake: 30 },
    ])
      expect((await player.bet(other, key)).error.code).toBe('IDEMPOTENCY_KEY_REUSED');
  });

  it('a key of a single is no key of a parlay, at whatever time the two come', async () => {
    const player = await aPlayer();
    const legs = (await games(2)).map(homeWins);
    const key = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        player.bet(n % 2 === 0 ? { legs, stake: 10 } : { ...legs[0], stake: 10 }, key),
      ),
    );
    const placed = new Set(answers.filter(({ status }) => status === 201).map(({ data }) => data.betId));
    expect(placed.size).toBe(1);
    expect(answers.filter(({ status }) => status !== 201).map(({ error }) => error.code)).toEqual(
      Array(20).fill('IDEMPOTENCY_KEY_REUSED'),
    );
    expect(await betsOf(system, player.userId)).toHaveLength(1);
  });

  it('no deadlock is met, and no credit lost, by players who bet across games that are being suspended, in every order', async () => {
    const all = await games(6);
    const players = await Promise.all(Array.from({ length: 12 }, () => aPlayer()));
    const admin = aSubject((await make.admin()).userId, 'admin');
    const markets = system.app.get(MarketsService);
    const over = new AbortController();
    const halting = (async () => {
      while (!over.signal.aborted)
        for (const game of all) {
          await markets.suspend(admin, game.spread.id, 'test');
          await markets.resume(admin, game.spread.id, 'test');
        }
    })();
    const codes = new Set<string>();
    await Promise.all(
      players.map(async (player, n) => {
        for (let round = 0; round < 12; round += 1) {
          const order = all.map((_, index) => all[(index * (n % 2 === 0 ? 1 : 5) + round) % 6]!);
          const body =
            round % 3 === 2
              ? { ...legOn(order[0]!.spread, 'home'), stake: 10 }
              : { legs: order.slice(0, 4).map(({ spread }) => legOn(spread, 'home')), stake: 10 };
          const { status, error } = await player.bet(body);
          codes.add(status === 201 ? 'ok' : error.code);
        }
      }),
    );
    over.abort();
    await halting;
    expect([...codes].filter((code) => code !== 'ok' && code !== 'MARKET_NOT_OPEN')).toEqual([]);
    expect(codes).toContain('ok');
    expect(await unbalanced(system)).toEqual([]);
  }, 60_000);

  it('are placed while bets of the same members are graded, and every credit is there', async () => {
    const players = await Promise.all(Array.from({ length: 20 }, () => aPlayer()));
    const [graded, ...others] = (await games(4)) as [TestGame, ...TestGame[]];
    const bodies = [
      { ...homeWins(graded), stake: 10 },
      { legs: [homeWins(graded), ...others.map(homeWins)], stake: 10 },
      { legs: others.map(homeWins), stake: 10 },
    ];
    const answers: Promise<Answer>[] = [];
    let done = 0;
    for (let round = 0; round < 8; round += 1) {
      answers.push(...players.map((player, n) => player.bet(bodies[(n + round) % 3]!)));
      done += await voidMoneyline(system, WEEK, graded);
    }
    expect(new Set((await Promise.all(answers)).map(({ status }) => status))).toEqual(new Set([201]));
    done += await voidMoneyline(system, WEEK, graded);
    const { rows } = await system.db.query(
      `SELECT (SELECT count(*) FROM bets WHERE game_id = $1 AND status = 'placed')::int AS singles,
              (SELECT count(*) FROM bet_legs WHERE game_id = $1 AND status = 'placed')::int AS legs,
              (SELECT count(*) FROM bets WHERE game_id = $1)::int AS graded`,
      [graded.id],
    );
    expect(rows[0]).toMatchObject({ singles: 0, legs: 0 });
    expect(done).toBeGreaterThanOrEqual((rows[0] as { graded: number }).graded);
    expect(await unbalanced(system)).toEqual([]);
  }, 60_000);

  it('a member whose row is held by a grader is waited for, then the gates: nobody holds a gate and waits for a row', async () => {
    const player = await aPlayer();
    const legs = (await games(2)).map(homeWins);
    const release = await holding(system, 'SELECT FROM pool_members WHERE user_id = $1 FOR UPDATE', [
      player.userId,
    ]);
    const answer = player.bet({ legs, stake: 50 });
    await waiting(1);
    const { rows } = await system.db.query(
      `SELECT count(*)::int AS gates FROM pg_locks l JOIN pg_database d ON d.oid = l.database
       WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.mode = 'ShareLock' AND l.granted`,
    );
    expect(rows).toEqual([{ gates: 0 }]);
    await release();
    expect((await answer).status).toBe(201);
  });
});
