import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { OddsApiFeed } from '../../src/modules/sports/feeds/odds-api/odds-api-feed.js';
import type { SportsFeed } from '../../src/modules/sports/feeds/sports-feed.js';
import { Clock } from '../../src/platform/clock/clock.js';
import { loadRules } from '../../src/platform/config/load-config.js';
import { configWith, logged } from '../support/mobile-money.js';
import { ANSWERS_AT, hasRealAnswers, OddsApiServer, REAL_ANSWERS } from '../support/odds-api-server.js';
import { plantInQuestions, type Question } from '../support/planted-mistakes.js';
import { usualConfigDir } from '../support/config-dir.js';

const NBA = '000000000000000000000000000000a1';
const IN_PLAY = '000000000000000000000000000000a2';
const MISNAMED = '000000000000000000000000000000a3';
const OVER = '000000000000000000000000000000a0';
const EPL = '000000000000000000000000000000b1';
const QUIET = '000000000000000000000000000000b2';

class StandingClock extends Clock {
  constructor(public instant: string) {
    super();
  }
  override now(): Date {
    return new Date(this.instant);
  }
}

describe('The Odds API', () => {
  let server: OddsApiServer;
  let feed: OddsApiFeed;
  let clock: StandingClock;
  let log: string[];
  /** Everything that was thrown, as a log would show it. */
  const thrown: string[] = [];

  beforeAll(async () => {
    server = await new OddsApiServer().start();
  });
  afterAll(async () => server.stop());
  beforeEach(() => {
    server.reset();
    feed = feedOf(server);
    log = logged();
  });
  afterEach(() => {
    jest.restoreAllMocks();
    // The key travels in the query: whatever a test does, it is in no log and no error.
    expect([...log, ...thrown].join('\n')).not.toContain(server.key);
  });

  const SPORTS = ['basketball_nba', 'soccer_epl'];
  function feedOf(of: OddsApiServer, over: object = {}, sports = SPORTS, env: object = {}): OddsApiFeed {
    const rules = loadRules(usualConfigDir());
    const { oddsApi } = rules.sports;
    oddsApi.sports = oddsApi.sports.filter(({ key }) => sports.includes(key));
    oddsApi.everySeconds = { schedule: 0, odds: 0, scores: 0, results: 0 };
    Object.assign(oddsApi, over);
    clock = new StandingClock(ANSWERS_AT);
    return new OddsApiFeed(configWith({ ...of.env, ...env }), rules, clock);
  }
  const now = (): AbortSignal => AbortSignal.timeout(5000);
  const silence = async (
    work: Promise<unknown>,
  ): Promise<{ message: string; retryAfterSeconds: number | null }> => {
    try {
      await work;
    } catch (error) {
      thrown.push(inspect(error, { depth: 20, showHidden: true }));
      expect(error).toMatchObject({ name: 'FeedSilence' });
      return error as { message: string; retryAfterSeconds: number | null };
    }
    throw new Error('the feed was not silent');
  };
  const paths = () =>
    server.requests.map(({ path, status }) => `${status} ${path.slice('/v4/sports/'.length)}`).toSorted();

  it('tells the schedule of every sport, for no credits', async () => {
    const games = (await feed.schedule(now())) ?? [];
    expect(
      games.map(({ externalId, league, season }) => `${externalId.slice(-2)} ${league} ${season}`).toSorted(),
    ).toEqual(['a1 NBA 2025-26', 'a2 NBA 2025-26', 'a3 NBA 2025-26', 'b1 EPL 2025-26', 'b2 EPL 2025-26']);
    expect(games.find(({ externalId }) => externalId === EPL)).toMatchObject({
      sport: 'soccer',
      homeTeam: 'Marlow Town',
      awayTeam: 'Penrith Rovers',
      startsAt: new Date('2026-04-18T11:30:00Z'),
    });
    expect([server.problems, server.used]).toEqual([[], 0]);
  });

  it('tells one bookmaker’s prices for each market, none of a game in play, and what it left out', async () => {
    const odds = (await feed.odds(now())) ?? [];
    const of = (id: string) =>
      odds
        .find(({ externalId }) => externalId === id)
        ?.markets.map(({ kind, line, prices }) => [kind, line, ...prices.map(({ decimal }) => decimal)]);
    expect(of(NBA)).toEqual([
      ['moneyline', null, '2.5', '1.6'], // the preferred one's
      ['spread', '3.5', '1.96', '1.92'],
      ['total', '218.5', '1.93', '1.89'], // the preferred one has another line than most
    ]);
    expect(of(IN_PLAY)).toEqual([]);
    expect(of(MISNAMED)).toEqual([['spread', '-4.5', '1.91', '1.91']]);
    expect(of(EPL)).toEqual([
      ['three_way', null, '2.1', '3.4', '3.3'], // the median one's, of three
      ['spread', '-0.25', '1.85', '1.95'],
      ['total', '2.5', '1.8', '2'],
    ]);
    expect(of(QUIET)).toEqual([]);
    expect(feed.problems()).toEqual([
      {
        kind: 'market',
        externalId: MISNAMED,
        subject: 'moneyline',
        reason: 'TEAM_UNKNOWN',
        details: { bookmakers: 1, example: 'draftkings' },
      },
    ]);
    expect(feed.problems()).toEqual([]);
    expect(server.problems).toEqual([]);
  });

  it('tells scores of what goes on and results of what is over', async () => {
    await feed.schedule(now());
    expect(await feed.scores(now())).toEqual([{ externalId: IN_PLAY, home: 31, away: 28 }]);
    expect(await feed.results(now())).toEqual([{ externalId: OVER, status: 'final', home: 101, away: 99 }]);
    expect(server.problems).toEqual([]);
  });

  it('asks for scores only where a game goes on, and for results where one can be new', async () => {
    await feed.schedule(now());
    server.requests.length = 0;
    await feed.scores(now());
    expect(paths()).toEqual(['200 basketball_nba/scores']);
    await feed.results(now());
    await feed.results(now());
    expect(paths().filter((path) => path.endsWith('soccer_epl/scores'))).toHaveLength(1); // once after it began to run
    expect(server.requests.filter(({ query }) => query.get('daysFrom') === '3')).toHaveLength(3);
  });

  it.each(['etag', 'last-modified'] as const)(
    'tells what has not changed as it was (%s)',
    async (validators) => {
      server.validators = validators;
      const first = await feed.odds(now());
      expect(await feed.odds(now())).toEqual(first);
      expect(server.requests.map(({ status }) => status)).toEqual([200, 200, 304, 304]);
      const market = server.odds.get('soccer_epl')?.[0]?.bookmakers?.[0]?.markets[0];
      if (market?.outcomes[0]) market.outcomes[0].price = 3.5;
      // One sport has changed: the other is told as it was.
      const second = await feed.odds(now());
      expect(second?.map(({ externalId }) => externalId).toSorted()).toEqual(
        first?.map(({ externalId }) => externalId).toSorted(),
      );
      expect(second).not.toEqual(first);
      expect(new Set(server.requests.slice(4).map(({ status }) => status))).toEqual(new Set([200, 304]));
      // What is no price is told again: whoever heard it may have failed to store it.
      for (const times of [0, 1]) {
        server.requests.length = 0;
        expect([await feed.schedule(now()), (await feed.results(now()))?.length]).toEqual([
          expect.any(Array),
          1,
        ]);
        expect(new Set(server.requests.map(({ status }) => status))).toEqual(
          new Set([times === 0 ? 200 : 304]),
        );
      }
    },
  );

  it('tells everything anew where the provider knows no conditional requests', async () => {
    server.validators = 'none';
    expect(await feed.odds(now())).toEqual(await feed.odds(now()));
  });

  it.each([
    ['half an answer', { instead: 'truncate' as const }, 'no JSON'],
    ['a word instead of one', { text: '{"message":"hello"}' }, 'no list'],
  ])('does not take %s for one that nothing has changed since', async (_, mood, said) => {
    feed = feedOf(server, {}, ['soccer_epl']);
    server.moods = [mood];
    expect((await silence(feed.odds(now()))).message).toContain(said);
    expect(await feed.odds(now())).toHaveLength(2);
  });

  it.each([
    ['429', { status: 429, code: 'EXCEEDED_FREQ_LIMIT', headers: { 'Retry-After': '7' } }, 7],
    ['429 without a time', { status: 429, code: 'EXCEEDED_FREQ_LIMIT' }, 2],
    ['503 with a time', { status: 503, headers: { 'Retry-After': '30' } }, 30],
    [
      '503 with a date',
      {
        status: 503,
        headers: { Date: 'Thu, 16 Apr 2026 19:00:00 GMT', 'Retry-After': 'Thu, 16 Apr 2026 19:02:00 GMT' },
      },
      120,
    ],
    ['the end of all credits', { status: 401, code: 'OUT_OF_USAGE_CREDITS' }, 3600],
    ['the end of all credits, as documented', { status: 429, code: 'OUT_OF_USAGE_CREDITS' }, 3600],
  ])('after %s is silent, and asks nobody until it may', async (_, mood, seconds) => {
    feed = feedOf(server, {}, ['soccer_epl']);
    server.moods = [mood];
    const first = await silence(feed.odds(now()));
    expect(first.retryAfterSeconds).toBe(seconds);
    expect(first.message).toContain(String(mood.status));
    for (const work of [feed.odds(now()), feed.schedule(now()), feed.results(now())])
      expect((await silence(work)).retryAfterSeconds).toBeGreaterThan(seconds - 2);
    expect(server.requests).toHaveLength(1);
  });

  it('asks again when the time is over', async () => {
    feed = feedOf(server, {}, ['soccer_epl']);
    server.moods = [{ status: 429, headers: { 'Retry-After': '1' } }];
    await silence(feed.odds(now()));
    await new Promise((resolve) => setTimeout(resolve, 1050));
    expect(await feed.odds(now())).toHaveLength(2);
  });

  it.each([
    ['500', { status: 500 }, '500'],
    ['a page of somebody else', { text: '<html>' }, 'no JSON'],
    ['a connection that breaks', { instead: 'break' as const }, 'no answer'],
    ['a redirection, which would take the key elsewhere', { instead: 'redirect' as const }, 'no answer'],
    ['an error with a code of its own making', { status: 400, code: 'no code' }, '400'],
  ])('is silent on %s, and asks again', async (_, mood, message) => {
    feed = feedOf(server, {}, ['soccer_epl']);
    server.moods = [mood];
    const first = await silence(feed.odds(now()));
    expect(first).toMatchObject({ retryAfterSeconds: null });
    expect(first.message).toContain(message);
    expect(await feed.odds(now())).toHaveLength(2);
    expect(server.requests.some(({ path }) => path.startsWith('/elsewhere'))).toBe(false);
  });

  it('is silent when an answer takes too long, or nobody is there', async () => {
    server.moods = [{ instead: 'silence' }, { instead: 'silence' }];
    const before = performance.now();
    expect((await silence(feed.odds(AbortSignal.timeout(150)))).message).toContain('TimeoutError');
    expect(performance.now() - before).toBeLessThan(2000);
    const nowhere = feedOf(server, {}, SPORTS, { ODDS_API_URL: 'http://127.0.0.1:1' });
    expect((await silence(nowhere.odds(now()))).message).toMatch(/no answer to \/v4\/sports\/\w+\/odds \(/);
  });

  it('tells the sports that answer when another does not', async () => {
    server.moods = [{ status: 500, path: 'basketball_nba' }];
    const odds = (await feed.odds(now())) ?? [];
    expect(odds.map(({ externalId }) => externalId)).toEqual([EPL, QUIET]);
    expect(feed.problems()).toEqual([
      {
        kind: 'game',
        externalId: null,
        subject: 'basketball_nba',
        reason: 'SPORT_SILENT',
        details: { said: '/v4/sports/basketball_nba/odds was answered by 500 INTERNAL' },
      },
    ]);
    // What had not changed is told all the same, so that it does not grow old with the silent one.
    server.moods = [{ status: 500, path: 'basketball_nba' }];
    expect((await feed.odds(now()))?.map(({ externalId }) => externalId)).toEqual([EPL, QUIET]);
  });

  it('goes on without a sport that the provider does not have', async () => {
    feed = feedOf(server, {}, ['soccer_epl', 'baseball_mlb']);
    expect(await feed.odds(now())).toHaveLength(2);
    expect(feed.problems()).toMatchObject([{ subject: 'baseball_mlb', reason: 'SPORT_UNKNOWN' }]);
    expect(await feed.odds(now())).toHaveLength(2);
  });

  it('tells nothing of a sport that the provider has no more, though the others have not changed', async () => {
    expect(await feed.odds(now())).toHaveLength(5);
    server.odds.delete('basketball_nba');
    const odds = (await feed.odds(now())) ?? [];
    expect(odds.map(({ externalId }) => externalId)).toEqual([EPL, QUIET]);
    expect(new Set(server.requests.slice(2).map(({ status }) => status))).toEqual(new Set([304, 404]));
  });

  it('is silent when the provider has none of the sports any more', async () => {
    expect(await feed.odds(now())).toHaveLength(5);
    server.odds.clear();
    for (const kind of ['odds', 'schedule', 'results'] as const)
      expect((await silence(feed[kind](now()))).message).toBe(
        `no ${kind}: the provider has none of the sports`,
      );
  });

  it('offers no price that no bookmaker has confirmed for long, though nothing has changed', async () => {
    feed = feedOf(server, { everySeconds: { schedule: 0, odds: 0, scores: 0, results: 0 } }, ['soccer_epl']);
    const of = (odds: Awaited<ReturnType<typeof feed.odds>>) =>
      odds?.find(({ externalId }) => externalId === EPL)?.markets;
    expect(of(await feed.odds(now()))).toHaveLength(3);
    clock.instant = '2026-04-16T19:20:00Z';
    expect(of(await feed.odds(now()))).toEqual([]);
    expect(server.requests.map(({ status }) => status)).toEqual([200, 304]);
    expect(new Set(feed.problems().map(({ reason }) => reason))).toEqual(new Set(['PRICE_OLD']));
  });

  it('that is taken up again answers in full at once', async () => {
    feed = feedOf(server, { everySeconds: { schedule: 60, odds: 60, scores: 60, results: 60 } });
    const first = await feed.odds(now());
    expect(await feed.odds(now())).toBeNull();
    feed.begin(async () => []);
    expect(await feed.odds(now())).toEqual(first);
    expect(server.requests.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  });

  describe('a line that as many bookmakers have as another', () => {
    const event = () => server.odds.get('soccer_epl')!.find(({ id }) => id === EPL)!;
    /** Each line is one bookmaker's; the first of two is the one that is closer to even. */
    const offerTotals = (...lines: number[]) => {
      const last_update = ANSWERS_AT;
      event().bookmakers = lines.map((point, index) => ({
        key: `book${index}`,
        title: `Book ${index}`,
        last_update,
        markets: [
          {
            key: 'totals',
            last_update,
            outcomes: [
              { name: 'Over', price: point === 2.5 ? 1.9 : 1.6, point },
              { name: 'Under', price: point === 2.5 ? 1.9 : 2.3, point },
            ],
          },
        ],
      }));
    };
    const line = async () => {
      const told = await feed.odds(now());
      return told?.find(({ externalId }) => externalId === EPL)?.markets.map(({ line: of }) => of);
    };

    it('stays while it is offered, until another has more of them', async () => {
      let open: string | null = '3.00';
      feed.begin(async () => (open === null ? [] : [{ externalId: EPL, kind: 'total', line: open }]));
      offerTotals(2.5, 3);
      expect(await line()).toEqual(['3']);
      expect(await line()).toEqual(['3']);
      // Its market is suspended, for it was not believed, or nobody had it for a while.
      open = null;
      expect(await line()).toEqual(['2.5']);
      open = '3.00';
      expect(await line()).toEqual(['3']);
      offerTotals(2.5, 2.5, 3);
      expect(await line()).toEqual(['2.5']);
      open = '2.50';
      offerTotals(3, 2.5);
      expect(await line()).toEqual(['2.5']);
    });

    it('is looked up for each answer, and for nothing else', async () => {
      let looked = 0;
      feed = feedOf(server, { everySeconds: { schedule: 60, odds: 60, scores: 60, results: 60 } });
      feed.begin(async () => {
        looked += 1;
        return [];
      });
      await feed.schedule(now());
      expect(looked).toBe(0);
      for (let again = 0; again < 3; again += 1) await feed.odds(now());
      expect(looked).toBe(1);
    });
  });

  it('leaves out an event that is none, and tells of it', async () => {
    server.odds.get('soccer_epl')?.push({ id: '', commence_time: 'soon', home_team: 'A', away_team: 'B' });
    expect(await feed.schedule(now())).toHaveLength(5);
    expect(feed.problems()).toMatchObject([
      { subject: 'soccer_epl', reason: 'UNREADABLE', details: { said: '1 of 3 events' } },
    ]);
  });

  describe('credits', () => {
    it('are told by every answer', async () => {
      expect(feed.status()).toBeNull();
      await feed.schedule(now());
      expect(feed.status()).toEqual({ remaining: 100_000, used: 0, lastCost: 0 });
      await feed.odds(now());
      // Three markets of two regions, of two sports.
      expect(feed.status()).toEqual({ remaining: 99_988, used: 12, lastCost: 6 });
    });

    it('are not spent by asking sooner than is configured', async () => {
      feed = feedOf(server, { everySeconds: { schedule: 60, odds: 60, scores: 60, results: 60 } });
      await feed.odds(now());
      for (let again = 0; again < 20; again += 1) expect(await feed.odds(now())).toBeNull();
      expect(server.requests).toHaveLength(2);
      expect(await feed.schedule(now())).toHaveLength(5);
    });

    it('below the reserve are spent more slowly: the feed is silent in between, and the schedule free', async () => {
      server.remaining = 400;
      feed = feedOf(server, {
        everySeconds: { schedule: 0.01, odds: 0.01, scores: 0.01, results: 0.01 },
        quotaReserve: 500,
        slowerBy: 1000,
      });
      await feed.odds(now());
      await new Promise((resolve) => setTimeout(resolve, 20));
      const { message, retryAfterSeconds } = await silence(feed.odds(now()));
      expect(message).toContain('388 credits are left');
      expect(retryAfterSeconds).toBe(9);
      expect(await feed.schedule(now())).toHaveLength(5);
      expect(server.requests).toHaveLength(4);
    });

    it('that end are noticed by the refusal', async () => {
      server.remaining = 3;
      expect((await silence(feed.odds(now()))).message).toContain('OUT_OF_USAGE_CREDITS');
    });
  });

  describe('a mistake of ours', () => {
    const query = (change: (query: URLSearchParams) => void) => (question: Question) =>
      change(question.url.searchParams);
    const path = (from: string | RegExp, to: string) => (question: Question) => {
      question.url.pathname = question.url.pathname.replace(from, to);
    };
    const ask = {
      odds: (of: SportsFeed) => of.odds(now()),
      schedule: (of: SportsFeed) => of.schedule(now()),
      results: (of: SportsFeed) => of.results(now()),
    };

    it.each<[string, keyof typeof ask, (question: Question) => void, RegExp]>([
      ['no key', 'odds', query((q) => q.delete('apiKey')), /no apiKey/],
      ['another key', 'odds', query((q) => q.set('apiKey', 'x'.repeat(32))), /another apiKey/],
      [
        'the key in a header',
        'schedule',
        ({ url, headers }) => {
          headers['Authorization'] = `Bearer ${url.searchParams.get('apiKey') ?? ''}`;
          url.searchParams.delete('apiKey');
        },
        /no apiKey/,
      ],
      ['no regions', 'odds', query((q) => q.delete('regions')), /regions is missing/],
      ['regions by another name', 'odds', query((q) => q.set('region', 'us')), /region is not a parameter/],
      [
        'a region that there is not',
        'odds',
        query((q) => q.set('regions', 'us,usa')),
        /regions cannot be us,usa/,
      ],
      ['regions one by one', 'odds', query((q) => q.append('regions', 'uk')), /regions is there twice/],
      [
        'our name of a market',
        'odds',
        query((q) => q.set('markets', 'moneyline')),
        /markets cannot be moneyline/,
      ],
      ['a player’s market', 'odds', query((q) => q.set('markets', 'player_points')), /markets cannot be/],
      ['no format of odds', 'odds', query((q) => q.delete('oddsFormat')), /left to its default/],
      [
        'a format of odds that there is not',
        'odds',
        query((q) => q.set('oddsFormat', 'fractional')),
        /oddsFormat cannot be/,
      ],
      [
        'a format of dates that there is not',
        'schedule',
        query((q) => q.set('dateFormat', 'ISO')),
        /dateFormat cannot be/,
      ],
      ['too many days', 'results', query((q) => q.set('daysFrom', '4')), /daysFrom cannot be 4/],
      ['half a day', 'results', query((q) => q.set('daysFrom', '0.5')), /daysFrom cannot be 0.5/],
      [
        'days where there are none',
        'schedule',
        query((q) => q.set('daysFrom', '1')),
        /daysFrom is not a parameter/,
      ],
      ['another version', 'odds', path('/v4/', '/v3/'), /no GET \/v3/],
      ['our name of a league', 'odds', path(/basketball_nba|soccer_epl/, 'nba'), /no sport nba/],
      ['a slash too many', 'schedule', path(/$/, '/'), /no GET/],
      ['another method', 'odds', (question) => (question.method = 'POST'), /no POST/],
    ])('is noticed: %s', async (_, asked, mistake, told) => {
      plantInQuestions(mistake);
      await ask[asked](feed).catch((error: unknown) => thrown.push(inspect(error)));
      expect(server.problems.join('\n')).toMatch(told);
    });

    it('that makes prices American ones offers none of them', async () => {
      plantInQuestions(query((q) => q.set('oddsFormat', 'american')));
      const odds = (await feed.odds(now())) ?? [];
      expect(odds.flatMap(({ markets }) => markets)).toEqual([]);
      expect(new Set(feed.problems().map(({ reason }) => reason))).toEqual(
        new Set(['PRICE_IMPOSSIBLE', 'OVERROUND_LOW', 'TEAM_UNKNOWN']),
      );
    });

    it('that makes dates numbers has no games of any time', async () => {
      plantInQuestions(query((q) => q.set('dateFormat', 'unix')));
      expect(await feed.schedule(now())).toEqual([]);
      expect(feed.problems().map(({ reason }) => reason)).toEqual(['UNREADABLE', 'UNREADABLE']);
    });

    it('is none without one', async () => {
      for (const work of [feed.schedule(now()), feed.odds(now()), feed.scores(now()), feed.results(now())])
        await work;
      expect(server.problems).toEqual([]);
    });
  });

  (hasRealAnswers() ? it : it.skip)(
    'reads the real answers of seven sports as they come over the wire',
    async () => {
      const real = await new OddsApiServer(REAL_ANSWERS).start();
      try {
        const all = [...real.odds.keys()];
        feed = feedOf(real, {}, all);
        const games = (await feed.schedule(now())) ?? [];
        const odds = (await feed.odds(now())) ?? [];
        const results = (await feed.results(now())) ?? [];
        expect(all).toHaveLength(7);
        expect(games).toHaveLength(108); // without fights, which we do not take
        expect(odds.map(({ externalId }) => externalId).toSorted()).toEqual(
          games.map(({ externalId }) => externalId).toSorted(),
        );
        expect(odds.filter(({ markets }) => markets.length === 3)).toHaveLength(102); // and six in play
        expect(results).toHaveLength(69);
        expect(feed.problems()).toEqual([]);
        expect(real.problems).toEqual([]);
        expect(await feed.odds(now())).toEqual(odds);
      } finally {
        await real.stop();
      }
    },
  );
});
