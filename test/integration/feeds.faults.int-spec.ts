import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { FeedDoubtsService } from '../../src/modules/sports/feeds/feed-doubts.service.js';
import { FeedQuarantineService } from '../../src/modules/sports/feeds/feed-quarantine.service.js';
import { FeedIntakeService } from '../../src/modules/sports/feeds/intake.service.js';
import type { FeedMarket } from '../../src/modules/sports/feeds/sports-feed.js';
import { MarketsService } from '../../src/modules/sports/markets.service.js';
import { OddsIntakeService } from '../../src/modules/sports/odds/odds-intake.service.js';
import { ResultsService } from '../../src/modules/sports/results.service.js';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { lockWaits } from '../support/crash.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import { aGame, moneyline, spread, total } from '../support/scripted-feed.js';
import { eventually, type System } from '../support/system.js';
import { AFTER_START, SUNDAY, toldFeed, TUESDAY } from '../support/told-feed.js';

let system: System;
let admin: Client;
let intake: FeedIntakeService;
let count = 0;
/** Each test has a feed of its own. */
let source: string;

beforeAll(async () => {
  system = await startSystemWithRules({}, { worker: false, at: TUESDAY });
  admin = await new Builders(system).admin();
  intake = system.app.get(FeedIntakeService);
});
afterAll(async () => system.stop());
beforeEach(async () => {
  await system.moveTo(TUESDAY);
  source = `faulty-${(count += 1)}`;
});

const { announce, game, markets, odds, openReasons: reasons, rows } = toldFeed(() => ({ system, source }));

describe('one word that is beyond all bounds', () => {
  it('of a price is quarantined, and the other markets of the answer are priced', async () => {
    await announce('a', 'b');
    const threeWay = (...decimals: string[]): FeedMarket => ({
      kind: 'three_way',
      line: null,
      prices: ['home', 'draw', 'away'].map((outcome, index) => ({ outcome, decimal: decimals[index]! })),
    });
    await odds([threeWay('1.01', '30', '1000000'), total()], [moneyline(-2_000_000_000, 2_147_483_648)]);
    expect(await markets()).toEqual(['total 45.50 open -110/-110']);
    expect(await reasons()).toEqual(['odds a PRICE_IMPOSSIBLE', 'odds b PRICE_IMPOSSIBLE']);
    expect(await odds([threeWay('1.01', '30', '1000'), total()], [moneyline()])).toBe(5);
  });

  it('of minutes is quarantined, and the games behind it are reported', async () => {
    await announce('a', 'b', 'c');
    await system.moveTo(AFTER_START);
    const score = { home: 7, away: 3 };
    expect(
      await intake.scores(source, [
        { externalId: 'a', ...score, minutesPlayed: 1e10 },
        { externalId: 'b', ...score },
      ]),
    ).toBe(1);
    expect((await game('b')).home_score).toBe(7);
    const ended = { status: 'final', ...score } as const;
    expect(
      await intake.ends(source, [
        { externalId: 'a', ...ended, minutesPlayed: -1 },
        { externalId: 'c', ...ended },
      ]),
    ).toBe(1);
    expect(await reasons()).toEqual(['score a SCORE_IMPOSSIBLE', 'result a SCORE_IMPOSSIBLE']);
  });

  it('that the database refuses is an error in the end, but not of the games behind it', async () => {
    await announce('a', 'b');
    await system.moveTo(AFTER_START);
    const told = ['a', 'b'].map((externalId) => ({ externalId, status: 'final' as const, home: 7, away: 3 }));
    await system.db.query(
      `ALTER TABLE feed_words ADD CONSTRAINT refused CHECK (game_id <> '${(await game('a')).id}') NOT VALID`,
    );
    try {
      await expect(intake.ends(source, told)).rejects.toThrow('refused');
    } finally {
      await system.db.query('ALTER TABLE feed_words DROP CONSTRAINT refused');
    }
    expect((await game('b')).status).toBe('final');
  });

  it('of text is kept as far as it can be', async () => {
    const doubts = system.app.get(FeedDoubtsService);
    const note = async (externalId: string, said: string) =>
      doubts.note(source, [
        { kind: 'odds', externalId, gameId: null, reason: 'PRICE_IMPOSSIBLE', details: { [said]: [said] } },
      ]);
    for (const said of ['a\0b', String.raw`a\u0000b`, 'half \uD800 of one', '\uDC00'])
      await note(`id-${said}`, said);
    // Two that are one when they are written down.
    await doubts.note(
      source,
      ['x', 'x\0'].map((externalId) => ({
        kind: 'odds',
        externalId,
        gameId: null,
        reason: 'PRICE_IMPOSSIBLE',
        details: {},
      })),
    );
    const found = await rows<{ external_id: string; details: object }>(
      'SELECT external_id, details FROM feed_quarantine WHERE source = $1 ORDER BY id',
      source,
    );
    expect(found.map(({ external_id }) => external_id)).toEqual([
      'id-ab',
      String.raw`id-a\u0000b`,
      'id-half \uFFFD of one',
      'id-\uFFFD',
      'x',
    ]);
    expect(found.slice(0, 2).map(({ details }) => details)).toEqual([
      { ab: ['ab'] },
      { [String.raw`a\u0000b`]: [String.raw`a\u0000b`] },
    ]);
  });
});

describe('a game that has begun before its start, by what its feed says', () => {
  const settled = async () => {
    const subject = { userId: admin.userId } as never;
    for (const { id } of await rows<{ id: string }>(
      "SELECT id FROM feed_quarantine WHERE source = $1 AND status = 'open'",
      source,
    ))
      await system.app
        .get(FeedQuarantineService)
        .decide(subject, id, { decision: 'dismiss', reason: 'their clock is wrong' });
  };
  const before = async () => {
    await announce('a', 'b');
    await odds([moneyline(), spread()], [moneyline()]);
  };
  const SHUT = ['moneyline suspended feed_stale -150/130', 'spread -3.00 suspended feed_stale -110/-110'];

  it.each([
    [
      'a start that has passed',
      'schedule a START_IN_PAST',
      async () => intake.schedule(source, [aGame('a', '2023-10-03T11:50:00Z'), aGame('b', SUNDAY)]),
    ],
    [
      'a score',
      'score a BEFORE_START',
      async () => intake.scores(source, [{ externalId: 'a', home: 14, away: 0 }]),
    ],
    [
      'a result',
      'result a BEFORE_START',
      async () => intake.ends(source, [{ externalId: 'a', status: 'final', home: 14, away: 0 }]),
    ],
  ])('by %s, is shut at once, and priced again when an operator has decided', async (_, reason, say) => {
    await before();
    await say();
    expect(await reasons()).toEqual([reason]);
    expect(await markets()).toEqual(SHUT);
    expect(await markets('b')).toEqual(['moneyline open -150/130']);
    // Neither another price, nor another line, nor the same again opens it; nor after a restart.
    expect(await odds([moneyline(-2000, 1000), spread('-3.5')], [moneyline(-160, 130)])).toBe(1);
    intake.forget(source);
    expect(await odds([moneyline(), spread()], [moneyline(-160, 130)])).toBe(0);
    expect(await markets()).toEqual(SHUT);
    await settled();
    expect(await odds([moneyline(-155, 130), spread()], [moneyline(-160, 130)])).toBe(1);
    expect(await markets()).toEqual(['moneyline open -155/130', 'spread -3.00 open -110/-110']);
  });

  it('is shut again at the next answer, though an operator has resumed its market', async () => {
    await before();
    await intake.scores(source, [{ externalId: 'a', home: 14, away: 0 }]);
    await system.db.query(
      "UPDATE markets SET status = 'open', suspended_by = NULL WHERE game_id = $1 AND kind = 'spread'",
      [(await game()).id],
    );
    intake.forget(source);
    await intake.odds(source, [{ externalId: 'b', markets: [moneyline()] }]); // which tells nothing of it
    expect(await markets()).toEqual(SHUT);
  });
});

describe('what is held of a feed', () => {
  it('keeps the limit that an operator has set when the line moves', async () => {
    await announce('a');
    await odds([moneyline(), spread('-3')]);
    const { id } = await game();
    await system.db.query("UPDATE markets SET max_stake = 10 WHERE game_id = $1 AND kind = 'spread'", [id]);
    await odds([moneyline(), spread('-3.5')]);
    expect(
      await rows(
        "SELECT line, max_stake AS most FROM markets WHERE game_id = $1 AND kind = 'spread' ORDER BY line",
        id,
      ),
    ).toEqual([
      { line: '-3.50', most: '10' },
      { line: '-3.00', most: '10' },
    ]);
  });

  it('shuts the old line that an operator has resumed beside the new one', async () => {
    await announce('a');
    await odds([moneyline(), spread('-3')]);
    await odds([moneyline(), spread('-3.5')]);
    const [old] = await rows<{ id: string }>(
      'SELECT id FROM markets WHERE game_id = $1 AND line = -3',
      (await game()).id,
    );
    await system.app.get(MarketsService).resume({ userId: admin.userId } as never, old!.id, 'x');
    intake.forget(source);
    await odds([moneyline(), spread('-3.5')]);
    expect(await markets()).toEqual([
      'moneyline open -150/130',
      'spread -3.50 open -110/-110',
      'spread -3.00 suspended line_moved -110/-110',
    ]);
  });

  it('is no answer of its own when it is taken up again: what another worker has stored stays', async () => {
    await announce('a');
    await odds([moneyline()]);
    const [market] = await rows<{ id: string }>(
      'SELECT id FROM markets WHERE game_id = $1',
      (await game()).id,
    );
    // As another worker, which followed the feed meanwhile.
    const other = system.app.get(OddsIntakeService);
    const price = { gameId: (await game()).id, marketId: market!.id, outcome: 'home', decimal: null };
    await other.take([{ ...price, american: -190 }], []);
    intake.forget(source);
    expect(await intake.odds(source, null)).toBe(0);
    expect(await markets()).toEqual(['moneyline open -190/130']);
  });

  it('is stored no further once another follows the feed', async () => {
    const names = Array.from({ length: 900 }, (_, index) => `many-${index}`);
    await intake.schedule(
      source,
      names.map((name) => aGame(name, SUNDAY)),
    );
    const at = (home: number, away: number) =>
      names.map((externalId) => ({ externalId, markets: [moneyline(home, away)] }));
    await intake.odds(source, at(-150, 130));
    const following = new AbortController();
    const moved = async () =>
      Number(
        (
          await rows<{ count: string }>(
            `SELECT count(*) FROM market_prices p JOIN markets m ON m.id = p.market_id JOIN games g ON g.id = m.game_id
             WHERE g.source = $1 AND p.american IN (-160, 140)`,
            source,
          )
        )[0]!.count,
      );
    const inTheWay = await system.db.connect();
    await inTheWay.query('BEGIN');
    await inTheWay.query('SELECT FROM game_heads WHERE game_id = $1 FOR UPDATE', [(await game('many-0')).id]);
    const taking = intake.odds(source, at(-160, 140), following.signal).catch((error: unknown) => error);
    await eventually(async () => (await lockWaits(system, 'odds_take')) > 0);
    following.abort(new Error('another worker follows it'));
    await inTheWay.query('ROLLBACK');
    inTheWay.release();
    expect(await taking).toEqual(new Error('another worker follows it'));
    expect(await moved()).toBe(1000);
  }, 30_000);
});

describe('a game that is off', () => {
  const report = async (status: 'cancelled' | 'postponed', externalId = 'a') =>
    system.app.get(ResultsService).report(admin.userId, (await game(externalId)).id, { status });

  it.each(['cancelled', 'postponed'] as const)(
    'because it is %s is not in the way of the same teams under another id',
    async (status) => {
      await announce('a');
      await report(status);
      const again = aGame(randomUUID(), '2023-10-08T20:00:00Z', { homeTeam: 'H-a', awayTeam: 'A-a' });
      expect(await intake.schedule(source, [aGame('a', SUNDAY), again])).toBe(1);
      expect((await game(again.externalId)).status).toBe('scheduled');
      expect(await reasons()).toEqual([]);
    },
  );

  it.each([
    ['before its first start', TUESDAY],
    ['after it', AFTER_START],
  ])('until further notice takes the start that its feed names %s, once', async (_, at) => {
    await announce('a');
    await odds([moneyline()]);
    await report('postponed');
    await system.moveTo(at);
    expect(await announce('a')).toBe(0);
    expect((await game()).status).toBe('postponed');
    const startsAt = new Date('2023-10-09T01:00:00Z');
    expect(await intake.schedule(source, [aGame('a', startsAt.toISOString())])).toBe(1);
    expect(await game()).toMatchObject({
      status: 'scheduled',
      starts_at: startsAt,
      source_starts_at: startsAt,
      first_starts_at: new Date(SUNDAY),
    });
    expect(await intake.schedule(source, [aGame('a', startsAt.toISOString())])).toBe(0);
    await odds([moneyline(-155, 135)]);
    expect(await markets()).toEqual(['moneyline open -155/135']);
    expect(await reasons()).toEqual([]);
  });
});
