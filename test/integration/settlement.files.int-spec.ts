import { existsSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { v7 } from 'uuid';
import { verdictsOf } from '../../src/modules/settlement/domain/verdicts.js';
import { priceFromAmerican, priceFromDecimal } from '../../src/modules/sports/domain/odds.js';
import type { ImportedGame, ImportedMarket } from '../../src/modules/sports/importers/imported-game.js';
import { openSeason } from '../../src/modules/sports/importers/read-season-file.js';
import { createTestDatabase, type TestDatabase } from '../support/databases.js';
import { type NaiveGame, nbaGames, nflGames, soccerGames } from '../support/naive-files.js';
import {
  type NaiveResult,
  paidNaively,
  type Score,
  settleNaively,
  settleParlayNaively,
  type WrittenPrice,
} from '../support/naive-settlement.js';
import { readSbrSeasons } from '../support/sbr-season.js';
import { seededRandom } from '../support/seeded-random.js';

const WEEK = 202340;
const PLAYERS = 40;
const POOLS = 8;
const PARLAYS = 6000;
/** Games of a call of the database. */
const BATCH = 50;
/** Odd ones, so that every fraction of a credit is met. */
const STAKES = [1, 7, 50, 333, 99_991];
const STARTING = 1_000_000_000_000n;
const PLACED_AT = '2023-10-03T12:00:00Z';
const STARTS_AT = '2023-10-04T12:00:00Z';

interface SeasonFile {
  name: string;
  path: string;
  /** As the product reads it. */
  read: (path: string) => AsyncGenerator<ImportedGame>;
  /** As the test reads it. */
  readNaively: (path: string) => NaiveGame[];
}

async function* importedGames(path: string): AsyncGenerator<ImportedGame> {
  for await (const row of await openSeason(path)) if ('game' in row) yield row.game;
}

const shared = new URL('../../../shared/data/', import.meta.url).pathname;
const own = new URL('../../data/seasons/', import.meta.url).pathname;

/** Every game with prices that lies beside the repository; without those files the two seasons in it. */
function seasonFiles(): SeasonFile[] {
  const nfl = { read: importedGames, readNaively: nflGames };
  if (!existsSync(`${shared}us-odds`))
    return ['nfl-2022', 'nfl-2023'].map((name) => ({ ...nfl, name, path: `${own}${name}.csv` }));
  const epl = `${shared}soccer/epl/`;
  return [
    { ...nfl, name: 'NFL 1999–2025', path: `${shared}us-odds/nfl_nflverse_games_1999_2025.csv` },
    {
      name: 'NBA 2007–2021',
      path: `${shared}us-odds/nba_sbr_2007_2021.csv`,
      read: readSbrSeasons,
      readNaively: nbaGames,
    },
    ...readdirSync(epl)
      .filter((name) => name.endsWith('.csv'))
      .map((name) => ({
        name: `EPL ${name.slice(3, 7)}`,
        path: `${epl}${name}`,
        read: importedGames,
        readNaively: soccerGames,
      })),
  ];
}

interface TakenGame {
  file: string;
  id: string;
  imported: ImportedGame;
  score: { home: number; away: number };
  markets: { id: string; imported: ImportedMarket }[];
}

/** A single, or a leg of a parlay. */
interface Selection {
  file: string;
  game: TakenGame;
  market: TakenGame['markets'][number];
  outcome: string;
  american: number | null;
  price: { num: bigint; den: bigint };
  /** What the test's own reader read of it. */
  written: WrittenPrice;
  line: string | null;
}

type Facts = (game: TakenGame) => Score;

const asPlayed: Facts = ({ score }) => score;

/** What is known better afterwards: a seventh of the games is cancelled, another went the other way round. */
function asCorrected(games: readonly TakenGame[]): Facts {
  const numbers = new Map(games.map((game, index) => [game, index % 7]));
  return (game) => {
    if (numbers.get(game) === 3) return null;
    return numbers.get(game) === 5 ? { home: game.score.away, away: game.score.home } : game.score;
  };
}

describe('every bet of the files of seasons', () => {
  const files = seasonFiles();
  const games: TakenGame[] = [];
  const selections: Selection[] = [];
  const parlays: Selection[][] = [];
  const differences: string[] = [];
  let database: TestDatabase;
  let db: pg.Pool;
  let members: { userId: string; poolId: string }[];

  beforeAll(async () => {
    for (const file of files) await take(file);
    database = await createTestDatabase();
    db = new pg.Pool({ connectionString: database.url });
    members = await insertMembers();
    await insertGames();
    await insertSingles();
    drawParlays();
    await insertParlays();
    await foundMembers();
    await db.query('ANALYZE');
  }, 60_000);
  afterAll(async () => {
    await db.end();
    await database.drop();
  });

  /** Takes the games of a file in which both readers see the same, and notes where they do not. */
  async function take({ name, path, read, readNaively }: SeasonFile): Promise<void> {
    const naive = new Map(readNaively(path).map((game) => [game.fileLine, game]));
    for await (const imported of read(path)) {
      if (imported.score === null) continue;
      const seen = naive.get(imported.line);
      naive.delete(imported.line);
      const difference = seen ? differenceOf(imported, seen) : imported.markets.length > 0 && 'not seen';
      if (difference) differences.push(`${name}:${imported.line} ${difference}`);
      if (!seen || difference) continue;
      const game: TakenGame = {
        file: name,
        id: v7(),
        imported,
        score: seen.score,
        markets: imported.markets.map((market) => ({ id: v7(), imported: market })),
      };
      games.push(game);
      for (const market of game.markets) {
        const readOf = seen.markets.find(({ kind }) => kind === market.imported.kind)!;
        for (const { outcome, american, decimal } of market.imported.prices)
          selections.push({
            file: name,
            game,
            market,
            outcome,
            american: american ?? null,
            price: american === undefined ? priceFromDecimal(decimal!) : priceFromAmerican(american),
            written: readOf.prices[outcome]!,
            line: readOf.line,
          });
      }
    }
    for (const { fileLine } of naive.values()) differences.push(`${name}:${fileLine} not imported`);
  }

  async function insertMembers(): Promise<{ userId: string; poolId: string }[]> {
    await db.query(
      `INSERT INTO weeks (id, gate, starts_at, ends_at, status, seed_hash, seed)
       VALUES ($1, gen_random_uuid(), '2023-10-02', '2023-10-09', 'grouped', '', decode(repeat('00', 32), 'hex'))`,
      [WEEK],
    );
    await db.query('SELECT bets_open_week($1)', [WEEK]);
    await db.query(
      `INSERT INTO users (id, email, handle, display_name, birth_date, terms_version, terms_accepted_at, created_at)
       SELECT gen_random_uuid(), 'player' || n || '@example.com', 'player' || n, 'player' || n, '1990-01-01', '1', now(), now()
       FROM generate_series(1, $1) AS n`,
      [PLAYERS],
    );
    await db.query(
      `INSERT INTO pools (id, week_id, number, name, size)
       SELECT gen_random_uuid(), $1, n, 'P' || n, $3::int / $2::int FROM generate_series(1, $2::int) AS n`,
      [WEEK, POOLS, PLAYERS],
    );
    const { rows } = await db.query<{ userId: string; poolId: string }>(
      `INSERT INTO pool_members (pool_id, user_id, week_id, draw_position, balance, starting)
       SELECT p.id, u.id, $1, u.n, $2, $2 FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM users) u
       JOIN pools p ON p.number = 1 + u.n % (SELECT count(*) FROM pools)
       RETURNING user_id AS "userId", pool_id AS "poolId"`,
      [WEEK, String(STARTING)],
    );
    return rows;
  }

  async function insertGames(): Promise<void> {
    for (const part of inParts(games, 2000)) {
      await db.query(
        `INSERT INTO games (id, source, external_id, sport, league, season, home_team, away_team, starts_at, first_starts_at,
                            status, home_score, away_score, result_version)
         SELECT id, source, external_id || '/' || id, sport, 'L', 'S', home, away, $1, $1, 'final', home_score, away_score, 1
         FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::int[], $9::int[])
           AS g (id, source, external_id, sport, home, away, home_score, away_score)`,
        [
          STARTS_AT,
          part.map(({ id }) => id),
          part.map(({ imported }) => imported.source),
          part.map(({ imported }) => imported.externalId),
          part.map(({ imported }) => imported.sport),
          part.map(({ imported }) => imported.homeTeam),
          part.map(({ imported }) => imported.awayTeam),
          part.map(({ score }) => score.home),
          part.map(({ score }) => score.away),
        ],
      );
      const markets = part.flatMap((game) => game.markets.map((market) => ({ game, ...market })));
      await db.query(
        `INSERT INTO markets (id, game_id, kind, line, status)
         SELECT id, game_id, kind, line, 'closed' FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::numeric[])
           AS m (id, game_id, kind, line)`,
        [
          markets.map(({ id }) => id),
          markets.map(({ game }) => game.id),
          markets.map(({ imported }) => imported.kind),
          markets.map(({ imported }) => imported.line),
        ],
      );
    }
  }

  /** The bet of number n, from 1 on, is on the selection of that number. */
  async function insertSingles(): Promise<void> {
    for (const part of inParts(selections, 10_000)) {
      const first = selections.indexOf(part[0]!);
      await db.query(
        `INSERT INTO bets (id, week_id, pool_id, user_id, game_id, market_id, odds_id, outcome, american, price_num, price_den,
                           stake, potential_payout, placed_at)
         SELECT id, $1, pool_id, user_id, game_id, market_id, market_id, outcome, american, num, den, stake,
                div(stake::numeric * num, den), $2
         FROM unnest($3::bigint[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[], $8::text[], $9::int[], $10::bigint[],
                     $11::bigint[], $12::bigint[])
           AS b (id, pool_id, user_id, game_id, market_id, outcome, american, num, den, stake)`,
        [
          WEEK,
          PLACED_AT,
          part.map((_, index) => first + index + 1),
          part.map((_, index) => memberOf(first + index).poolId),
          part.map((_, index) => memberOf(first + index).userId),
          part.map(({ game }) => game.id),
          part.map(({ market }) => market.id),
          part.map(({ outcome }) => outcome),
          part.map(({ american }) => american),
          part.map(({ price }) => String(price.num)),
          part.map(({ price }) => String(price.den)),
          part.map((_, index) => stakeOf(first + index)),
        ],
      );
    }
  }

  /** Of two to twelve games each: of any legs, of those that are not lost (by chance hardly any long one wins), of returned ones. */
  function drawParlays(): void {
    const random = seededRandom(20_231_003);
    const by = Map.groupBy(selections, (selection) => settled(selection, asPlayed).status);
    const standing = selections.filter((selection) => settled(selection, asPlayed).status !== 'lost');
    const returned = ['push', 'half_won', 'half_lost'].flatMap((status) => by.get(status) ?? []);
    for (let n = 0; n < PARLAYS; n += 1) {
      const legs = new Map<TakenGame, Selection>();
      const wanted = 2 + (n % 11);
      while (legs.size < wanted) {
        const from = [selections, standing, random(2) === 0 ? standing : returned][n % 3]!;
        const leg = from[random(from.length)]!;
        legs.set(leg.game, leg);
      }
      parlays.push([...legs.values()]);
    }
  }

  async function insertParlays(): Promise<void> {
    const numbered = parlays.map((legs, index) => ({ legs, number: selections.length + index }));
    await db.query(
      `INSERT INTO bets (id, week_id, pool_id, user_id, legs, stake, potential_payout, placed_at)
       SELECT id, $1, pool_id, user_id, legs, stake, 0, $2
       FROM unnest($3::bigint[], $4::uuid[], $5::uuid[], $6::int[], $7::bigint[]) AS b (id, pool_id, user_id, legs, stake)`,
      [
        WEEK,
        PLACED_AT,
        numbered.map(({ number }) => number + 1),
        numbered.map(({ number }) => memberOf(number).poolId),
        numbered.map(({ number }) => memberOf(number).userId),
        numbered.map(({ legs }) => legs.length),
        numbered.map(({ number }) => stakeOf(number)),
      ],
    );
    const legs = numbered.flatMap(({ legs: all, number }) =>
      all.map((leg, index) => ({ ...leg, number, leg: index + 1 })),
    );
    for (const part of inParts(legs, 10_000))
      await db.query(
        `INSERT INTO bet_legs (bet_id, week_id, pool_id, number, game_id, market_id, odds_id, outcome, american, price_num, price_den)
         SELECT bet_id, $1, pool_id, number, game_id, market_id, market_id, outcome, american, num, den
         FROM unnest($2::bigint[], $3::uuid[], $4::int[], $5::uuid[], $6::uuid[], $7::text[], $8::int[], $9::bigint[], $10::bigint[])
           AS l (bet_id, pool_id, number, game_id, market_id, outcome, american, num, den)`,
        [
          WEEK,
          part.map(({ number }) => number + 1),
          part.map(({ number }) => memberOf(number).poolId),
          part.map(({ leg }) => leg),
          part.map(({ game }) => game.id),
          part.map(({ market }) => market.id),
          part.map(({ outcome }) => outcome),
          part.map(({ american }) => american),
          part.map(({ price }) => String(price.num)),
          part.map(({ price }) => String(price.den)),
        ],
      );
  }

  /** As if they had placed all of it. */
  async function foundMembers(): Promise<void> {
    await db.query(
      `UPDATE pool_members m SET starting = $1::bigint, balance = $1::bigint - b.staked, staked = b.staked, bets_placed = b.n, bets_open = b.n
       FROM (SELECT pool_id, user_id, sum(stake) AS staked, count(*) AS n FROM bets GROUP BY 1, 2) b
       WHERE b.pool_id = m.pool_id AND b.user_id = m.user_id`,
      [String(STARTING)],
    );
  }

  function memberOf(number: number): { userId: string; poolId: string } {
    return members[number % members.length]!;
  }

  /** The product's way: the domain's verdicts, applied by the database. */
  async function grade(of: readonly TakenGame[], facts: Facts, regrade: boolean): Promise<void> {
    const pools = [...new Set(members.map(({ poolId }) => poolId))].toSorted();
    for (const part of inParts(of, BATCH)) {
      const verdicts = part.flatMap((game) => {
        const score = facts(game);
        const judged = {
          status: score ? ('final' as const) : ('cancelled' as const),
          homeScore: score?.home ?? null,
          awayScore: score?.away ?? null,
          minutesPlayed: null,
          periods: null,
          props: null,
        };
        const markets = game.markets.map(({ id, imported: { kind, line } }) => ({
          id,
          kind,
          line,
          status: 'closed' as const,
          prop: null,
          outcomes: null,
          places: 1,
        }));
        return verdictsOf(judged, markets, null);
      });
      const markets = part.flatMap((game) => game.markets.map(({ id }) => id));
      await db.query('SELECT bets_grade($1, $2, $3, $4, $5, $6, $7, $8)', [
        v7(),
        WEEK,
        pools,
        markets,
        STARTS_AT,
        JSON.stringify(verdicts),
        STARTS_AT,
        regrade,
      ]);
    }
  }

  /** All bets by their numbers, as the database has them. */
  async function storedBets(): Promise<string[]> {
    const { rows } = await db.query<{ told: string }>(
      "SELECT status || ' ' || coalesce(payout::text, '-') AS told FROM bets ORDER BY id",
    );
    return rows.map(({ told }) => told);
  }

  function settled({ game, market, outcome, line, written }: Selection, facts: Facts): NaiveResult {
    return settleNaively({ kind: market.imported.kind, line, outcome, price: written }, facts(game));
  }

  function naiveBets(facts: Facts): string[] {
    const singles = selections.map((selection, number) => {
      const { status, factor } = settled(selection, facts);
      return `${status} ${paidNaively(BigInt(stakeOf(number)), factor)}`;
    });
    const multiples = parlays.map((legs, index) => {
      const stake = BigInt(stakeOf(selections.length + index));
      const { status, payout } = settleParlayNaively(
        legs.map((leg) => settled(leg, facts)),
        stake,
      );
      return `${status} ${payout}`;
    });
    return [...singles, ...multiples];
  }

  /** Numbers of bets, and both sides, where they differ: always none. */
  function disagreements(stored: readonly string[], naive: readonly string[]): unknown[] {
    expect(stored).toHaveLength(naive.length);
    const wrong = stored.flatMap((told, index) =>
      told === naive[index]
        ? []
        : [{ bet: index + 1, of: describeBet(index), stored: told, naive: naive[index] }],
    );
    return wrong.length > 10 ? [wrong.length, ...wrong.slice(0, 10)] : wrong;
  }

  function describeBet(index: number): unknown {
    const described = ({ file, game, market, outcome, line, written }: Selection) =>
      [file, game.imported.line, market.imported.kind, line, outcome, ...Object.values(written)].join(' ');
    const single = selections[index];
    return single ? described(single) : parlays[index - selections.length]!.map(described);
  }

  function show(title: string, told: readonly string[]): void {
    const counts = new Map<string, Record<string, number>>();
    for (const [index, each] of told.entries()) {
      const file = selections[index]?.file ?? 'parlays';
      const count = counts.get(file) ?? { bets: 0 };
      const status = each.split(' ')[0]!;
      counts.set(file, { ...count, bets: count['bets']! + 1, [status]: (count[status] ?? 0) + 1 });
    }
    const columns = ['bets', 'won', 'lost', 'push', 'half_won', 'half_lost', 'void'];
    const cells = (name: string, values: readonly string[]) =>
      [name.padEnd(14), ...values.map((value) => value.padStart(9))].join('') + '\n';
    process.stdout.write(
      `\n${title}: ${games.length} games\n${cells('', columns)}` +
        [...counts]
          .map(([name, count]) =>
            cells(
              name,
              columns.map((column) => String(count[column] ?? 0)),
            ),
          )
          .join(''),
    );
  }

  it('is on what the file says: both readers see the same games, lines, prices and scores', () => {
    expect([differences.length, ...differences.slice(0, 10)]).toEqual([0]);
    for (const { name } of files) expect(games.some(({ file }) => file === name)).toBe(true);
  });

  it('is settled to the last credit as by hand', async () => {
    await grade(games, asPlayed, false);
    const naive = naiveBets(asPlayed);
    show('as played', naive);
    expect(disagreements(await storedBets(), naive)).toEqual([]);
    expect(await unbalancedMembers()).toEqual([]);
  }, 60_000);

  it('is settled again to the last credit when a seventh of the games is cancelled and another turned round', async () => {
    const facts = asCorrected(games);
    await grade(
      games.filter((game) => facts(game) !== game.score),
      facts,
      true,
    );
    const naive = naiveBets(facts);
    show('as corrected', naive);
    expect(disagreements(await storedBets(), naive)).toEqual([]);
    expect(await unbalancedMembers()).toEqual([]);
  }, 60_000);

  /** Members whose credits are not what their bets make of them: always none. */
  async function unbalancedMembers(): Promise<unknown[]> {
    const { rows } = await db.query(
      `SELECT m.* FROM pool_members m JOIN (
         SELECT pool_id, user_id, sum(stake) AS staked, sum(payout) AS paid, count(*) AS n,
                count(*) FILTER (WHERE status = 'placed') AS open FROM bets GROUP BY 1, 2) b USING (pool_id, user_id)
       WHERE m.balance - m.debt <> $1::bigint - b.staked + b.paid OR m.staked <> b.staked OR m.paid_out <> b.paid
          OR m.bets_placed <> b.n OR m.bets_open <> 0 OR b.open <> 0`,
      [String(STARTING)],
    );
    return rows;
  }
});

/** What the two readers of a game disagree on; null when on nothing. */
function differenceOf(imported: ImportedGame, seen: NaiveGame): string | null {
  const line = (text: string | null) => (text === null ? '' : String(Number(text)));
  const ours = imported.markets
    .map(({ kind, line: at, prices }) => {
      const told = prices.map((price) => `${price.outcome} ${price.decimal ?? price.american}`);
      return `${kind} ${line(at)} ${told.toSorted().join(' ')}`;
    })
    .toSorted();
  const theirs = seen.markets
    .map(({ kind, line: at, prices }) => {
      const told = Object.entries(prices).map(
        ([outcome, price]) => `${outcome} ${'decimal' in price ? price.decimal : Number(price.american)}`,
      );
      return `${kind} ${line(at)} ${told.toSorted().join(' ')}`;
    })
    .toSorted();
  const [a, b] = [
    [imported.homeTeam, imported.awayTeam, imported.score?.home, imported.score?.away, ...ours],
    [seen.home, seen.away, seen.score.home, seen.score.away, ...theirs],
  ].map((told) => told.join('; '));
  return a === b ? null : `${a} ≠ ${b}`;
}

function stakeOf(number: number): number {
  return STAKES[number % STAKES.length]!;
}

function* inParts<T>(all: readonly T[], size: number): Generator<readonly T[]> {
  for (let from = 0; from < all.length; from += size) yield all.slice(from, from + size);
}
