import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FeedDto } from '../../src/modules/sports/feeds/dto/feeds.dto.js';
import type { GameDto } from '../../src/modules/sports/dto/games.dto.js';
import { loadRules } from '../../src/platform/config/load-config.js';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { usualConfigDir } from '../support/config-dir.js';
import { ANSWERS_AT, OddsApiServer } from '../support/odds-api-server.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import { eventually, type System } from '../support/system.js';

const NBA = '000000000000000000000000000000a1';

/** A worker that is configured to follow the feed, as operators configure one. */
describe('a worker that follows The Odds API', () => {
  let server: OddsApiServer;
  let system: System;
  let admin: Client;

  beforeAll(async () => {
    server = await new OddsApiServer().start();
    const { oddsApi, polls } = loadRules(usualConfigDir()).sports;
    const changed = {
      polls: {
        ...plain(polls),
        schedule: 0.2,
        odds: 0.2,
        scores: 0.2,
        results: 0.2,
        timeout: 5,
        backOff: 0.5,
      },
      oddsApi: {
        ...plain(oddsApi),
        sports: oddsApi.sports.filter(({ key }) => server.odds.has(key)),
        everySeconds: { schedule: 1, odds: 1, scores: 1, results: 1 },
      },
    };
    system = await startSystemWithRules(
      { sports: { ...plain(loadRules(usualConfigDir()).sports), ...changed } },
      { at: ANSWERS_AT, env: { SPORTS_FEEDS: 'odds-api', ...server.env } },
    );
    admin = await new Builders(system).admin();
  }, 30_000);
  afterAll(async () => {
    await system.stop();
    await server.stop();
  });

  const plain = (rules: object): object => JSON.parse(JSON.stringify(rules)) as object;
  const game = async (): Promise<GameDto | null> => {
    const { rows } = await system.db.query<{ id: string }>('SELECT id FROM games WHERE external_id = $1', [
      NBA,
    ]);
    return rows[0] ? (await admin.get<GameDto>(`games/${rows[0].id}`)).data : null;
  };
  const priceOf = (of: GameDto | null, kind: string, outcome: string) =>
    of?.markets
      .find((market) => market.kind === kind && market.status === 'open')
      ?.prices.find((price) => price.outcome === outcome)?.decimal;
  const feed = async (): Promise<FeedDto | undefined> =>
    (await admin.get<FeedDto[]>('admin/feeds')).data.find(({ source }) => source === 'odds-api');

  it('has its games and prices, and tells operators of its credits', async () => {
    const found = await eventually(async () => {
      const one = await game();
      return one !== null && one.markets.length === 3 && one;
    });
    expect(found).toMatchObject({
      homeTeam: 'Riverton Herons',
      awayTeam: 'Ashby Foxes',
      status: 'scheduled',
    });
    expect(priceOf(found, 'moneyline', 'away')).toBe('1.6000');
    const told = await eventually(async () => {
      const one = await feed();
      return one?.polls.every(({ lastSuccessAt }) => lastSuccessAt !== null) && one;
    });
    expect(told).toMatchObject({ followed: true, quarantined: 1 });
    expect(told.quota?.used).toBe(100_000 - (told.quota?.remaining ?? 0));
    expect(server.problems).toEqual([]);
  }, 30_000);

  it('follows a price that changes', async () => {
    const [away] = server.odds.get('basketball_nba')?.[0]?.bookmakers?.[1]?.markets[0]?.outcomes ?? [];
    if (away) away.price = 1.62;
    const now = await eventually(async () => {
      const price = priceOf(await game(), 'moneyline', 'away');
      return price !== '1.6000' && price;
    });
    expect(now).toBe('1.6200');
  }, 30_000);

  it('tells what is wrong without its key, and goes on when it answers again', async () => {
    const failing = setInterval(
      () => (server.moods = Array.from({ length: 20 }, () => ({ status: 503 }))),
      20,
    );
    const told = await eventually(async () => {
      const one = await feed();
      return one?.polls.find(({ kind, failures }) => kind === 'odds' && failures > 0) && one;
    });
    const odds = told.polls.find(({ kind }) => kind === 'odds');
    expect(odds?.lastError).toMatch(/^\/v4\/sports\/\w+\/odds was answered by 503 INTERNAL$/);
    clearInterval(failing);
    server.moods = [];
    await eventually(async () => (await feed())?.polls.every(({ failures }) => failures === 0));
    const { rows } = await system.db.query('SELECT * FROM feed_quarantine');
    expect(inspect([told, rows], { depth: 10 })).not.toContain(server.key);
  }, 30_000);
});
