import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FeedDoubtsService } from '../../src/modules/sports/feeds/feed-doubts.service.js';
import { FeedIntakeService } from '../../src/modules/sports/feeds/intake.service.js';
import { FeedsRepository } from '../../src/modules/sports/feeds/feeds.repository.js';
import { MarketsService } from '../../src/modules/sports/markets.service.js';
import { OddsIntakeService } from '../../src/modules/sports/odds/odds-intake.service.js';
import { DomainError } from '../../src/platform/http/domain-error.js';
import { Builders } from '../support/builders.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import { aGame, moneyline, spread, total } from '../support/scripted-feed.js';
import type { System } from '../support/system.js';
import { newSweeper, SUNDAY, TUESDAY } from '../support/told-feed.js';

const SOURCE = 'racing';
const GAMES = Array.from({ length: 40 }, (_, index) => `g${index}`);

let system: System;
let intake: FeedIntakeService;
let operator: { userId: string };

beforeAll(async () => {
  system = await startSystemWithRules({}, { worker: false, at: TUESDAY });
  operator = await new Builders(system).admin();
  intake = system.app.get(FeedIntakeService);
  await system.app.get(FeedsRepository).hold(SOURCE, operator.userId, 3600);
  await intake.schedule(
    SOURCE,
    GAMES.map((name) => aGame(name, SUNDAY)),
  );
});
afterAll(async () => system.stop());

const answer = (turn: number) =>
  GAMES.map((externalId, index) => ({
    externalId,
    markets: [
      moneyline(-150 - ((turn + index) % 5), 130),
      ...((turn + index) % 4 === 0 ? [] : [spread(`-${3 + ((turn + index) % 3) / 2}`)]),
      total('45.5', -110, (turn + index) % 7 === 0 ? 90 : -110 - (turn % 3)),
    ],
  }));
const sleep = async (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const statusOf = async (marketId: string): Promise<string> =>
  (await system.db.query('SELECT status FROM markets WHERE id = $1', [marketId])).rows[0].status;

describe('suspending by a feed, or for want of one', () => {
  it.each([
    [
      'a price that is not believed',
      async () => intake.odds(SOURCE, [{ externalId: 'g0', markets: [moneyline(-150, 90)] }]),
    ],
    ['a market that is withdrawn', async () => intake.odds(SOURCE, [{ externalId: 'g0', markets: [] }])],
    [
      'a line that moves',
      async () => intake.odds(SOURCE, [{ externalId: 'g0', markets: [moneyline(), spread('-9')] }]),
    ],
    [
      'silence',
      async () => {
        await system.moveTo(new Date(system.now().getTime() + 700_000));
        return await newSweeper(system).sweep();
      },
    ],
  ])('%s waits for the bets that are being placed', async (what, shut) => {
    await intake.odds(SOURCE, [{ externalId: 'g0', markets: [moneyline(), spread('-3')] }]);
    const { rows } = await system.db.query<{ id: string; game_id: string }>(
      `SELECT m.id, m.game_id FROM markets m JOIN games g ON g.id = m.game_id
       WHERE g.source = $1 AND g.external_id = 'g0' AND m.status = 'open' AND m.kind = $2`,
      [SOURCE, what === 'a line that moves' ? 'spread' : 'moneyline'],
    );
    const [{ id, game_id: gameId }] = rows as [{ id: string; game_id: string }];
    const bettor = await system.db.connect();
    try {
      await bettor.query('BEGIN');
      await bettor.query('SELECT parley_gate_enter($1)', [gameId]);
      const shutting = shut();
      await sleep(400);
      expect(await statusOf(id)).toBe('open');
      await bettor.query('COMMIT');
      await shutting;
      expect(await statusOf(id)).toBe('suspended');
    } finally {
      bettor.release();
    }
  });

  it('writes down what is doubted of games without standing in the way of who has them in hand', async () => {
    const { rows: games } = await system.db.query<Record<'low' | 'high' | 'low_name' | 'high_name', string>>(
      `SELECT low.id AS low, high.id AS high, low.external_id AS low_name, high.external_id AS high_name
       FROM games low JOIN games high ON high.source = low.source AND high.id > low.id AND high.external_id < low.external_id
       WHERE low.source = $1 LIMIT 1`,
      [SOURCE],
    );
    const { low, high, low_name: lowName, high_name: highName } = games[0]!;
    const doubt = (externalId: string, gameId: string) =>
      ({ kind: 'odds', externalId, gameId, reason: 'OVERROUND_LOW', details: {} }) as const;
    const other = await system.db.connect();
    try {
      await other.query('BEGIN');
      await other.query('SELECT FROM games WHERE id = $1 FOR UPDATE', [low]);
      const noting = system.app
        .get(FeedDoubtsService)
        .note(SOURCE, [doubt(lowName, low), doubt(highName, high)])
        .then(
          () => null,
          (error: unknown) => error,
        );
      await sleep(300);
      const asked = performance.now();
      await other.query('SELECT FROM games WHERE id = $1 FOR UPDATE', [high]);
      expect(performance.now() - asked).toBeLessThan(500); // a deadlock is found after a second
      await other.query('COMMIT');
      expect(await noting).toBeNull();
    } finally {
      other.release();
    }
    const { rows: noted } = await system.db.query(
      "SELECT game_id FROM feed_quarantine WHERE source = $1 AND reason = 'OVERROUND_LOW' AND game_id = ANY ($2) ORDER BY game_id",
      [SOURCE, [low, high]],
    );
    expect(noted).toEqual([{ game_id: low }, { game_id: high }]);
  });

  it('meets prices, moved lines, sweeps and operators at once, and none of them fails', async () => {
    await intake.odds(SOURCE, answer(1));
    const until = performance.now() + 4000;
    const repeated = async (work: (turn: number) => Promise<unknown>): Promise<number> => {
      let turn = 0;
      while (performance.now() < until) await work((turn += 1));
      return turn;
    };
    const { rows: known } = await system.db.query<{ id: string; game_id: string }>(
      "SELECT m.id, m.game_id FROM markets m JOIN games g ON g.id = m.game_id WHERE g.source = $1 AND m.kind = 'moneyline' ORDER BY md5(m.id::text)",
      [SOURCE],
    );
    const subject = { userId: operator.userId } as never;
    const turns = await Promise.all([
      repeated(async (turn) => intake.odds(SOURCE, answer(turn))),
      repeated(async (turn) => intake.odds(SOURCE, answer(turn + 17))), // who has lost the feed and does not know it yet
      repeated(async () => newSweeper(system).sweep()),
      repeated(async () => newSweeper(system).sweep()),
      repeated(async () => {
        // Everything is stale again.
        await system.db.query(
          `WITH held AS MATERIALIZED (SELECT game_id FROM game_heads ORDER BY game_id FOR NO KEY UPDATE)
           UPDATE game_heads h SET fresh_at = h.fresh_at - interval '1 hour' FROM held WHERE held.game_id = h.game_id`,
        );
        await sleep(20);
      }),
      repeated(async (turn) =>
        system.app.get(OddsIntakeService).take(
          known.map(({ id, game_id: gameId }) => ({
            gameId,
            marketId: id,
            outcome: 'away',
            american: 131 + (turn % 9),
            decimal: null,
          })),
          known.map(({ game_id: gameId }) => gameId),
        ),
      ),
      repeated(async (turn) => {
        const { id } = known[turn % known.length]!;
        const move = turn % 2 === 0 ? 'suspend' : 'resume';
        const service = system.app.get(MarketsService);
        await service[move](subject, id, 'x').catch((error: unknown) => {
          if (!(error instanceof DomainError) || error.code !== 'MARKET_STATE_CONFLICT') throw error;
        });
      }),
    ]);
    expect(Math.min(...turns)).toBeGreaterThan(3);
    const { rows: twice } = await system.db.query(
      `SELECT game_id, kind FROM markets WHERE status = 'open' GROUP BY game_id, kind HAVING count(*) > 1`,
    );
    expect(twice).toEqual([]);
    const { rows: odd } = await system.db.query(
      `SELECT p.market_id FROM market_prices p JOIN odds o ON o.id = p.odds_id WHERE (o.market_id, o.outcome, o.price_num, o.price_den)
         IS DISTINCT FROM (p.market_id, p.outcome, p.price_num, p.price_den)`,
    );
    expect(odd).toEqual([]);
  }, 60_000);
});
