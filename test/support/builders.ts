import { randomUUID } from 'node:crypto';
import { v7 } from 'uuid';
import { AccessTokensService } from '../../src/modules/auth/access-tokens.service.js';
import { AdminsService } from '../../src/modules/auth/admins.service.js';
import { GroupingService } from '../../src/modules/pools/grouping.service.js';
import { WeeksService } from '../../src/modules/pools/weeks.service.js';
import { Client } from './client.js';
import { joinPool } from './members.js';
import type { System } from './system.js';

export const PASSWORD = 'correct horse battery';

/** Makes data of a system. Players are written straight to the database: hashing passwords is not what is tested. */
export class Builders {
  private counter = 0;

  constructor(private readonly system: System) {}

  async admin(): Promise<Client> {
    const email = `admin-${randomUUID()}@example.com`;
    const handle = `admin${(this.counter += 1)}`;
    await this.system.app
      .get(AdminsService)
      .ensure({ email, handle, birthDate: '1970-01-01', password: PASSWORD });
    const signedIn = await new Client(this.system.url).post('auth/login', { email, password: PASSWORD });
    return new Client(this.system.url, signedIn.data.accessToken, signedIn.data.user.id);
  }

  /** Users with a live session each; `pass` gives them the pass of a week. */
  async players(count: number, options: { pass?: number; birthDate?: string } = {}): Promise<Client[]> {
    const { app, db, url } = this.system;
    const now = this.system.now();
    const terms = app.get(AccessTokensService)['rules'].auth.termsVersion;
    const rows = Array.from({ length: count }, () => {
      this.counter += 1;
      return { id: v7(), session: v7(), handle: `player${this.counter}` };
    });
    const ids = rows.map(({ id }) => id);
    await db.query(
      `INSERT INTO users (id, email, handle, display_name, birth_date, terms_version, terms_accepted_at, created_at)
       SELECT id, handle || '@example.com', handle, handle, $3, $4, $5, $5 FROM unnest($1::uuid[], $2::text[]) AS u (id, handle)`,
      [ids, rows.map(({ handle }) => handle), options.birthDate ?? '1990-01-01', terms, now],
    );
    // Used and checked in a year from now: tests move the clock by days, and these sessions neither fall idle nor are asked
    // how long they have lasted.
    await db.query(
      `INSERT INTO sessions (id, user_id, created_at, last_used_at, checked_at, expires_at)
       SELECT id, user_id, $3, later, later, later FROM (SELECT $3::timestamptz + interval '400 days' AS later) l, unnest($1::uuid[], $2::uuid[]) AS s (id, user_id)`,
      [rows.map(({ session }) => session), ids, now],
    );
    if (options.pass !== undefined)
      await db.query(
        `INSERT INTO week_passes (user_id, week_id, source, created_at) SELECT unnest($1::uuid[]), $2, 'admin', $3`,
        [ids, options.pass, now],
      );
    const tokens = app.get(AccessTokensService);
    return await Promise.all(
      rows.map(async ({ id, session }) => new Client(url, await tokens.sign(id, session, 'user'), id)),
    );
  }

  /** Players in one pool of a week that is drawn already. */
  async members(count: number, week: number): Promise<Client[]> {
    const players = await this.players(count);
    await joinPool(this.system, week, players);
    return players;
  }

  async member(week: number): Promise<Client> {
    const [player] = (await this.members(1, week)) as [Client];
    return player;
  }

  /** Opens the week and, when its start has come, draws it. */
  async week(weekId: number, options: { group?: boolean } = {}): Promise<void> {
    await this.system.app.get(WeeksService).open(weekId);
    if (options.group !== false) await this.system.app.get(GroupingService).group(weekId, null);
  }

  /** A game with the three markets at -110 a side, or the prices given. */
  async game(options: TestGameOptions): Promise<TestGame> {
    const { db } = this.system;
    const id = v7();
    this.counter += 1;
    await db.query(
      `INSERT INTO games (id, source, external_id, sport, league, season, home_team, away_team, starts_at, first_starts_at)
       VALUES ($1, 'test', $2, 'american_football', 'NFL', '2023', 'HOM', 'AWY', $3, $3)`,
      [id, `game-${this.counter}`, options.startsAt],
    );
    const american = options.american ?? -110;
    const [num, den] = american > 0 ? [100 + american, 100] : [100 - american, -american];
    const markets: Record<string, TestMarket> = {};
    for (const [kind, line, outcomes] of [
      ['moneyline', null, ['home', 'away']],
      ['spread', options.spread ?? '-3.00', ['home', 'away']],
      ['total', options.total ?? '45.00', ['over', 'under']],
    ] as const) {
      const marketId = v7();
      await db.query('INSERT INTO markets (id, game_id, kind, line) VALUES ($1, $2, $3, $4)', [
        marketId,
        id,
        kind,
        line,
      ]);
      const odds: Record<string, string> = {};
      for (const outcome of outcomes) {
        const oddsId = v7();
        odds[outcome] = oddsId;
        await db.query(
          'INSERT INTO odds (id, market_id, outcome, american, price_num, price_den) VALUES ($1, $2, $3, $4, $5, $6)',
          [oddsId, marketId, outcome, american, num, den],
        );
        await db.query(
          `INSERT INTO market_prices (market_id, outcome, odds_id, american, price_num, price_den)
           VALUES ($1, $2, $3, $4, $5, $6)`,
          [marketId, outcome, oddsId, american, num, den],
        );
      }
      markets[kind] = { id: marketId, odds };
    }
    return { id, ...markets } as unknown as TestGame;
  }

  /** One after the other, so that their ids are in order. */
  async games(count: number, options: TestGameOptions): Promise<TestGame[]> {
    const made: TestGame[] = [];
    while (made.length < count) made.push(await this.game(options));
    return made;
  }
}

export interface TestGameOptions {
  startsAt: string;
  spread?: string;
  total?: string;
  american?: number;
}

export interface TestMarket {
  id: string;
  odds: Record<string, string>;
}

export interface TestGame {
  id: string;
  moneyline: TestMarket;
  spread: TestMarket;
  total: TestMarket;
}

/** Members whose credits do not add up, by SQL over bets and adjustments: always none. */
export async function unbalanced(system: System): Promise<unknown[]> {
  const { rows } = await system.db.query(`
    WITH facts AS (
      SELECT b.pool_id, b.user_id, sum(b.stake) FILTER (WHERE b.status <> 'cancelled') AS staked, coalesce(sum(b.payout), 0) AS paid,
             count(*) FILTER (WHERE b.status = 'placed') AS open, count(*) AS bets
      FROM bets b GROUP BY 1, 2),
    extra AS (SELECT pool_id, user_id, sum(amount) AS amount FROM credit_adjustments GROUP BY 1, 2)
    SELECT m.* FROM pool_members m
    LEFT JOIN facts f USING (pool_id, user_id) LEFT JOIN extra e USING (pool_id, user_id)
    WHERE m.balance - m.debt <> 1000 + coalesce(e.amount, 0) - coalesce(f.staked, 0) + coalesce(f.paid, 0)
       OR m.staked <> coalesce(f.staked, 0) OR m.paid_out <> coalesce(f.paid, 0)
       OR m.bets_open <> coalesce(f.open, 0) OR m.bets_placed <> coalesce(f.bets, 0)`);
  return rows;
}
