import { Redis } from 'ioredis';
import type pg from 'pg';
import { DataSource } from 'typeorm';
import { v7 } from 'uuid';
import { type ChangesMessage, GameChanges } from '../../src/modules/sports/odds/game-changes.js';
import { OddsIntakeService, type PriceTaken } from '../../src/modules/sports/odds/odds-intake.service.js';
import { OddsRepository } from '../../src/modules/sports/odds/odds.repository.js';
import type { AppConfig } from '../../src/platform/config/app-config.js';
import { Database } from '../../src/platform/database/database.js';
import type { RedisConnections } from '../../src/platform/redis/redis-connections.js';

/** Who is told of each batch of changes at the moment at which it is published. */
type Published = (message: ChangesMessage) => void;

/** The product's own intake, as a worker has it, without the worker's other work. */
export interface Intake {
  readonly service: OddsIntakeService;
  /** The channel on which API processes hear of changes. */
  readonly channel: string;
  stop(): Promise<void>;
}

class WatchedChanges extends GameChanges {
  published: Published = () => undefined;

  override publish(message: ChangesMessage): void {
    this.published(message);
    super.publish(message);
  }
}

export async function openIntake(
  { databaseUrl, redisUrl, prefix }: { databaseUrl: string; redisUrl: string; prefix: string },
  published?: Published,
): Promise<Intake> {
  const dataSource = await new DataSource({
    type: 'postgres',
    url: databaseUrl,
    extra: { max: 4 },
  }).initialize();
  const cache = new Redis(redisUrl);
  const connections = { cache, cacheReady: true } as unknown as RedisConnections;
  const changes = new WatchedChanges(connections, { REDIS_PREFIX: prefix } as AppConfig);
  if (published) changes.published = published;
  const service = new OddsIntakeService(new OddsRepository(new Database(dataSource)), changes);
  return {
    service,
    channel: changes.channel,
    stop: async () => {
      cache.disconnect();
      await dataSource.destroy();
    },
  };
}

export interface PricedMarket {
  gameId: string;
  marketId: string;
}

/** Games that start in an hour, each with so many totals of two outcomes. */
export async function seedMarkets(
  db: pg.Pool,
  { games, marketsPerGame }: { games: number; marketsPerGame: number },
): Promise<PricedMarket[]> {
  const ids = Array.from({ length: games }, () => v7());
  await db.query(
    `INSERT INTO games (id, source, external_id, sport, league, season, home_team, away_team, starts_at, first_starts_at)
     SELECT id, 'bench', 'odds-' || id, 'american_football', 'NFL', '2026', 'HOM', 'AWY', s, s
     FROM unnest($1::uuid[]) AS g (id), (SELECT now() + interval '1 hour' AS s) t`,
    [ids],
  );
  const markets = ids.flatMap((gameId) =>
    Array.from({ length: marketsPerGame }, (_, line) => ({ gameId, marketId: v7(), line: 40 + line / 2 })),
  );
  await db.query(
    `INSERT INTO markets (id, game_id, kind, line)
     SELECT id, game, 'total', line FROM unnest($1::uuid[], $2::uuid[], $3::numeric[]) AS m (id, game, line)`,
    [
      markets.map(({ marketId }) => marketId),
      markets.map(({ gameId }) => gameId),
      markets.map(({ line }) => line),
    ],
  );
  return markets;
}

const OUTCOMES = ['over', 'under'];
const LOWEST = 101;
const PRICES = 1_000_000;

/** Changes without end over all markets in turn: each another price than the one before of its outcome, whoever set that. */
export function* changesOf(markets: readonly PricedMarket[]): Generator<PriceTaken, never> {
  // A step that shares no factor with the number of outcomes: all in turn, and neighbours of different games.
  const total = markets.length * OUTCOMES.length;
  const step = 7919;
  const first = Math.floor(Math.random() * PRICES);
  for (let n = 0; ; n += 1) {
    const at = (n * step) % total;
    const market = markets[Math.floor(at / OUTCOMES.length)] as PricedMarket;
    const american = LOWEST + ((first + Math.floor(n / total)) % PRICES);
    yield { ...market, outcome: OUTCOMES[at % OUTCOMES.length] ?? 'over', american, decimal: null };
  }
}

export function take<T>(from: Iterator<T, never>, count: number): T[] {
  return Array.from({ length: count }, () => from.next().value);
}
