import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { FeedDoubtsService } from '../../src/modules/sports/feeds/feed-doubts.service.js';
import { FeedFollower } from '../../src/modules/sports/feeds/feed-follower.js';
import { FeedSilence } from '../../src/modules/sports/feeds/feed-silence.js';
import { FeedsRepository } from '../../src/modules/sports/feeds/feeds.repository.js';
import type { FeedDto, FeedPollDto } from '../../src/modules/sports/feeds/dto/feeds.dto.js';
import { FeedIntakeService } from '../../src/modules/sports/feeds/intake.service.js';
import type { FeedMarket } from '../../src/modules/sports/feeds/sports-feed.js';
import { OddsIntakeService } from '../../src/modules/sports/odds/odds-intake.service.js';
import type { PollRules } from '../../src/platform/config/sport-rules.js';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { endProcessesAfterAll, TestProcess } from '../support/processes.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import { aGame, moneyline, ScriptedFeed, spread, total } from '../support/scripted-feed.js';
import { eventually, type System } from '../support/system.js';

const TUESDAY = '2023-10-03T12:00:00Z';
const SUNDAY = '2023-10-08T17:00:00Z';
const POLLS: PollRules = { schedule: 0.1, odds: 0.05, scores: 0.1, results: 0.1, timeout: 0.3, backOff: 0.4 };
/** More games in the last hours before they begin, in which prices move every few seconds. */
const REPLAY = { everyMinutes: 15, horizonHours: 12, playMinutes: 180, files: ['data/seasons/nfl-2023.csv'] };

let system: System;
let admin: Client;
let followers: FeedFollower[] = [];
let count = 0;

endProcessesAfterAll();
beforeAll(async () => {
  system = await startSystemWithRules(
    {
      sports: {
        polls: { schedule: 0.2, odds: 0.5, scores: 0.2, results: 0.2, timeout: 10, backOff: 1 },
        replay: REPLAY,
      },
    },
    { worker: false, at: TUESDAY },
  );
  admin = await new Builders(system).admin();
});
afterAll(async () => system.stop());
afterEach(async () => {
  await Promise.all(followers.map((follower) => follower.stop()));
  followers = [];
});

function newFeed(): ScriptedFeed {
  const feed = new ScriptedFeed(`scripted-${(count += 1)}`);
  feed.says.schedule = [aGame('a', SUNDAY)];
  feed.says.odds = [{ externalId: 'a', markets: [moneyline()] }];
  return feed;
}

function follow(feed: ScriptedFeed): FeedFollower {
  const { app } = system;
  const follower = new FeedFollower(feed, {
    repository: app.get(FeedsRepository),
    intake: app.get(FeedIntakeService),
    doubts: app.get(FeedDoubtsService),
    polls: POLLS,
  });
  followers.push(follower);
  follower.start();
  return follower;
}

const sleep = async (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const feedOf = async (source: string): Promise<FeedDto | undefined> =>
  (await admin.get<FeedDto[]>('admin/feeds')).data.find((one) => one.source === source);
const pollOf = async (source: string, kind: string): Promise<FeedPollDto | undefined> =>
  (await feedOf(source))?.polls.find((one) => one.kind === kind);
const priceOf = async (source: string): Promise<number | undefined> =>
  (
    await system.db.query(
      `SELECT p.american FROM market_prices p JOIN markets m ON m.id = p.market_id JOIN games g ON g.id = m.game_id
       WHERE g.source = $1 AND p.outcome = 'home'`,
      [source],
    )
  ).rows[0]?.american;

describe('a feed that is followed', () => {
  it('is asked for everything, the schedule first, and its prices are those of the product', async () => {
    const feed = newFeed();
    follow(feed);
    expect(await eventually(() => priceOf(feed.source))).toBe(-150);
    feed.says.odds = [{ externalId: 'a', markets: [moneyline(-170, 150)] }];
    await eventually(async () => (await priceOf(feed.source)) === -170);
    await eventually(async () => feed.asked.results > 0 && feed.asked.scores > 0);
    const seen = await eventually(async () => {
      const one = await feedOf(feed.source);
      return one?.polls.length === 4 ? one : null;
    });
    expect(seen).toMatchObject({ followed: true, games: 1, quarantined: 0, quota: null });
    expect(seen.lagSeconds).toBeLessThan(5);
    expect(seen.polls.every((poll) => poll.failures === 0 && poll.lastError === null)).toBe(true);
  });

  it('can look up the lines that are offered at any time, of which one that is doubted is none', async () => {
    const feed = newFeed();
    const say = (...markets: FeedMarket[]) => {
      feed.says.odds = [{ externalId: 'a', markets: [moneyline(), ...markets] }];
    };
    const lines = async (wanted: readonly string[]) =>
      await eventually(async () => {
        const held = (await feed.held()).map(({ externalId, kind, line }) => `${externalId} ${kind} ${line}`);
        return JSON.stringify(held.toSorted()) === JSON.stringify(wanted);
      });
    say(spread('-3'), total('45.5'));
    follow(feed);
    expect(await lines(['a spread -3.00', 'a total 45.50'])).toBe(true);
    say(spread('-3.5'), total('45.5'));
    expect(await lines(['a spread -3.50', 'a total 45.50'])).toBe(true);
    say(spread('-3.5'), total('45.5', 110, 110)); // gives money away
    expect(await lines(['a spread -3.50'])).toBe(true);
    say(total('45.5'));
    expect(await lines(['a total 45.50'])).toBe(true);
  });

  it('that fails is asked less and less often, and says so; it goes on by itself when it answers again', async () => {
    const feed = newFeed();
    follow(feed);
    await eventually(() => priceOf(feed.source));
    feed.error = new FeedSilence('The provider answered 503');
    const failing = await eventually(async () => {
      const poll = await pollOf(feed.source, 'odds');
      return poll !== undefined && poll.failures >= 4 ? poll : null;
    });
    expect(failing.lastError).toBe('The provider answered 503');
    const before = feed.asked.odds;
    await sleep(1000);
    // Every 0.05 s it would have been asked 20 times; no less often than every 0.4 s, and 0.2 with luck.
    expect(feed.asked.odds - before).toBeLessThan(8);
    expect(feed.asked.odds - before).toBeGreaterThan(1);
    const metrics = await (await fetch(`${system.url}/metrics`)).text();
    expect(metrics).toMatch(
      new RegExp(`parley_feed_failures\\{source="${feed.source}",kind="odds"\\} [1-9]`),
    );
    feed.error = null;
    feed.says.odds = [{ externalId: 'a', markets: [moneyline(-180, 160)] }];
    await eventually(async () => (await priceOf(feed.source)) === -180);
    await eventually(async () => (await pollOf(feed.source, 'odds'))?.failures === 0);
  });

  it('that does not answer, or speaks of secrets in its errors, is told of in our words', async () => {
    const feed = newFeed();
    follow(feed);
    await eventually(() => priceOf(feed.source));
    feed.hangs = true;
    await eventually(
      async () => (await pollOf(feed.source, 'odds'))?.lastError === 'it did not answer within 0.3 s',
    );
    feed.hangs = false;
    feed.error = new TypeError('fetch failed: https://example.com/?apiKey=secret');
    const told = await eventually(async () => {
      const lastError = (await pollOf(feed.source, 'odds'))?.lastError;
      return lastError?.startsWith('odds failed') === true ? lastError : null;
    });
    expect(told).toBe('odds failed: TypeError');
  });

  it('asks in the pace that its provider names', async () => {
    const feed = newFeed();
    follow(feed);
    await eventually(() => priceOf(feed.source));
    feed.error = new FeedSilence('429', 30);
    await eventually(async () => (await pollOf(feed.source, 'odds'))!.failures > 0);
    const before = feed.asked.odds;
    await sleep(1000);
    expect(feed.asked.odds).toBe(before);
  });

  it('is followed by one at a time, and by the next at once when that one stops', async () => {
    const one = newFeed();
    const other = new ScriptedFeed(one.source);
    other.says = { ...one.says, odds: [{ externalId: 'a', markets: [moneyline(-200, 170)] }] };
    const first = follow(one);
    await eventually(() => priceOf(one.source));
    follow(other);
    await sleep(1500);
    expect(other.asked).toEqual({ schedule: 0, odds: 0, scores: 0, results: 0 });
    await first.stop();
    await eventually(async () => (await priceOf(one.source)) === -200, 3000);
    const asked = one.asked.odds;
    await sleep(300);
    expect(one.asked.odds).toBe(asked);
  });

  it('writes nothing more once somebody else follows it', async () => {
    const feed = newFeed();
    follow(feed);
    await eventually(() => priceOf(feed.source));
    // As if this process had slept while another took over.
    await system.db.query(
      "UPDATE feeds SET holder = gen_random_uuid(), held_until = clock_timestamp() + interval '1 hour' WHERE source = $1",
      [feed.source],
    );
    await sleep(1500);
    const { asked } = structuredClone({ asked: feed.asked });
    feed.says.odds = [{ externalId: 'a', markets: [moneyline(-400, 300)] }];
    await sleep(500);
    expect(feed.asked).toEqual(asked);
    expect(await priceOf(feed.source)).toBe(-150);
  });

  it('repeats nothing of what it was told before, when it follows the feed again after somebody else', async () => {
    const feed = newFeed();
    follow(feed);
    await eventually(() => priceOf(feed.source));
    expect(feed.begun).toBe(1);
    await system.db.query(
      "UPDATE feeds SET holder = gen_random_uuid(), held_until = clock_timestamp() + interval '1 hour' WHERE source = $1",
      [feed.source],
    );
    await sleep(1500);
    const { rows } = await system.db.query<{ gameId: string; marketId: string }>(
      'SELECT g.id AS "gameId", m.id AS "marketId" FROM games g JOIN markets m ON m.game_id = g.id WHERE g.source = $1',
      [feed.source],
    );
    const [{ gameId, marketId }] = rows as [{ gameId: string; marketId: string }];
    await system.app
      .get(OddsIntakeService)
      .take([{ gameId, marketId, outcome: 'home', american: -400, decimal: null }], []);
    feed.says.odds = null;
    await system.db.query('UPDATE feeds SET held_until = clock_timestamp() WHERE source = $1', [feed.source]);
    await eventually(async () => feed.begun === 2);
    const before = feed.asked.odds;
    await eventually(async () => feed.asked.odds > before + 2);
    expect(await priceOf(feed.source)).toBe(-400);
    feed.says.odds = [{ externalId: 'a', markets: [moneyline(-170, 150)] }];
    await eventually(async () => (await priceOf(feed.source)) === -170);
  });
});

describe('two workers, of which one is killed', () => {
  const holderOf = async (): Promise<string | null> =>
    (await system.db.query("SELECT holder FROM feeds WHERE source = 'replay'")).rows[0]?.holder ?? null;
  const newest = async (): Promise<number> =>
    Number((await system.db.query('SELECT extract(epoch FROM max(created_at)) AS at FROM odds')).rows[0].at);

  it('the other follows the replayed season within seconds, prices move on, and no market stays shut', async () => {
    const env = { ...system.env, SPORTS_FEEDS: 'replay' };
    const first = await (await TestProcess.start('worker', env)).ready();
    const holder = await eventually(holderOf);
    await eventually(
      async () => (await system.db.query("SELECT 1 FROM games WHERE source = 'replay'")).rowCount === 48,
    );
    const second = await (await TestProcess.start('worker', env)).ready();
    await sleep(1500);
    expect(await holderOf()).toBe(holder);
    const lockedAt = performance.now();
    await first.kill('SIGKILL');
    await eventually(async () => {
      const now = await holderOf();
      return now !== null && now !== holder;
    }, 10_000);
    expect(performance.now() - lockedAt).toBeLessThan(8000);
    const since = await newest();
    await eventually(async () => (await newest()) > since, 20_000);
    const { rows } = await system.db.query(
      `SELECT count(*) FILTER (WHERE m.status = 'open')::int AS open, count(DISTINCT g.id)::int AS games
       FROM games g JOIN markets m ON m.game_id = g.id WHERE g.source = 'replay' AND g.status = 'scheduled'`,
    );
    expect(rows[0]).toEqual({ open: rows[0].games * 3, games: 48 });
    expect((await system.db.query("SELECT 1 FROM feed_quarantine WHERE source = 'replay'")).rowCount).toBe(0);

    // Both are gone: the markets do not stay open with prices that nobody keeps up, as soon as any worker runs.
    await second.kill('SIGKILL');
    await system.moveTo(new Date(system.now().getTime() + 11 * 60_000));
    const third = await (await TestProcess.start('worker', { ...system.env, SPORTS_FEEDS: '' })).ready();
    await eventually(
      async () =>
        (await system.db.query("SELECT 1 FROM markets WHERE of_feed AND status = 'open'")).rowCount === 0,
      20_000,
    );
    await third.kill('SIGTERM');
  }, 120_000);
});
