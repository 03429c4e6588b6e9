import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { OddsBook } from '../../src/modules/sports/odds/odds-book.js';
import { OddsBroadcast } from '../../src/modules/sports/odds/odds-broadcast.js';
import { OddsIntakeService } from '../../src/modules/sports/odds/odds-intake.service.js';
import { OddsRepository } from '../../src/modules/sports/odds/odds.repository.js';
import { Rules } from '../../src/platform/config/rules.js';
import type { Database } from '../../src/platform/database/database.js';
import type { UserSocket } from '../../src/platform/realtime/sockets.service.js';
import { SocketsService } from '../../src/platform/realtime/sockets.service.js';
import { Builders, type TestGame } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { type Json, OddsFollower } from '../support/odds-follower.js';
import { eventually, startSystem, type System } from '../support/system.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const SPORT = 'american_football';

describe('sockets that follow games', () => {
  let system: System;
  let make: Builders;
  let intake: OddsIntakeService;
  let reader: Client;
  let rules: Rules['realtime'];
  const open: OddsFollower[] = [];

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
    make = new Builders(system);
    intake = system.app.get(OddsIntakeService);
    [reader] = (await make.players(1)) as [Client];
    rules = system.app.get(Rules).realtime;
  });
  afterEach(() => {
    for (const follower of open.splice(0)) follower.close();
  });
  afterAll(async () => system.stop());

  async function follow(url = system.url, who = reader): Promise<OddsFollower> {
    const follower = await OddsFollower.connect(url, who);
    open.push(follower);
    return follower;
  }

  /** The server's side of it. */
  const served = (follower: OddsFollower): UserSocket | undefined => {
    const namespace = system.app.get(SocketsService)['server']?.of('/odds');
    return namespace?.sockets.get(follower.socket.id ?? '');
  };
  const game = async (startsAt = '2023-10-08T17:00:00Z') => await make.game({ startsAt });
  const move = async (of: TestGame, american: number) =>
    await intake.take(
      [{ gameId: of.id, marketId: of.moneyline.id, outcome: 'home', american, decimal: null }],
      [],
    );
  const headOf = async (id: string): Promise<number> => {
    const { rows } = await system.db.query('SELECT seq FROM game_heads WHERE game_id = $1', [id]);
    return Number(rows[0].seq);
  };
  const caughtUp = async (follower: OddsFollower, id: string) => {
    const head = await headOf(id);
    await eventually(async () => follower.games.get(id)?.seq === head, 6000);
  };
  const toldOf = (follower: OddsFollower, id: string) =>
    follower.told.filter(({ payload }) => (payload.gameId ?? payload.id) === id);

  it('are told the whole game after number 0, which is before its first change', async () => {
    const followed = await game();
    const follower = await follow();
    const { data } = await follower.subscribe({ games: [followed.id], after: { [followed.id]: 0 } });
    expect(data.changes).toEqual([]);
    expect(data.snapshots.map(({ id }: Json) => id)).toEqual([followed.id]);
    expect(data.snapshots[0].markets).toHaveLength(3);
  });

  it('follow twenty sports and leagues at most', async () => {
    const follower = await follow();
    expect((await follower.subscribe({ sport: 'curling' })).success).toBe(true);
    const asks = Array.from({ length: 30 }, (_, index) => follower.subscribe({ league: `L${index}` }));
    const answers = await Promise.all(asks);
    expect(answers.filter(({ success }) => success)).toHaveLength(19);
    const refused = answers.filter(({ success }) => !success);
    expect(refused.map(({ error }) => [error.code, error.details])).toEqual(
      Array.from({ length: 11 }, () => ['TOO_MANY_GAMES', { limit: 20, groups: 21 }]),
    );
    expect(served(follower)!.rooms.size).toBe(20 + 3); // its own, its user's and its session's
    expect((await follower.subscribe({ league: 'L0', sport: 'curling' })).success).toBe(true);
    await follower.ask('unsubscribe', { league: 'L0' });
    expect((await follower.subscribe({ league: 'L29' })).success).toBe(true);
  });

  it('are dropped when they ask on without reading what they are answered', async () => {
    const games = await Promise.all(Array.from({ length: 20 }, () => game()));
    const ids = games.map(({ id }) => id);
    const [deaf, other] = [await follow(), await follow()];
    const { conn } = served(deaf)!;
    const waiting = () => (conn as Json).writeBuffer.length as number;
    const { _socket: wire } = (deaf.socket.io.engine.transport as Json).ws;
    wire.pause();
    let most = 0;
    for (let round = 0; round < 1200 && served(deaf) !== undefined; round += 1) {
      deaf.socket.emit('subscribe', { games: ids }, () => undefined);
      if (round % 10 === 0) await other.ask('unsubscribe', { games: ids });
      most = Math.max(most, waiting());
    }
    await eventually(async () => served(deaf) === undefined, 3000);
    expect(most).toBeLessThanOrEqual(rules.unreadMessages + 1);
    await eventually(async () => waiting() === 0, 3000);
    wire.resume();
    await eventually(async () => !deaf.socket.connected, 3000);
    expect(other.socket.connected).toBe(true);
  }, 60_000);

  it('may ask for much at once when they read it', async () => {
    const games = await Promise.all(Array.from({ length: 20 }, () => game()));
    const ids = games.map(({ id }) => id);
    const follower = await follow();
    const answers = await Promise.all(Array.from({ length: 45 }, () => follower.subscribe({ games: ids })));
    expect(answers.every(({ success, data }) => success && data.snapshots.length === 20)).toBe(true);
  });

  it('are dropped when they are refused too often', async () => {
    const { refusalsPerMinute } = rules;
    rules.refusalsPerMinute = 20;
    try {
      const [stubborn, other] = [await follow(), await follow()];
      for (let ask = 0; ask < 20; ask += 1)
        expect((await stubborn.ask('subscribe', { games: 'all' })).error.code).toBe('VALIDATION_FAILED');
      expect((await stubborn.subscribe({ sport: 'curling' })).success).toBe(true);
      stubborn.socket.emit('subscribe', { games: 'all' });
      await eventually(async () => !stubborn.socket.connected, 3000);
      expect((await other.subscribe({ sport: 'curling' })).success).toBe(true);
    } finally {
      rules.refusalsPerMinute = refusalsPerMinute;
    }
  });

  it('hear of a game that came while their network had stopped', async () => {
    const busy = await Promise.all(Array.from({ length: 20 }, () => game()));
    const proxy = await TcpProxy.to(system.url);
    try {
      const [stalled, steady] = [await follow(proxy.url), await follow()];
      for (const follower of [stalled, steady]) await follower.subscribe({ sport: SPORT });
      proxy.mute();
      const slow = system.app.get(OddsBroadcast)['slow'];
      for (let round = 0; round < 3000 && slow.size === 0; round += 1)
        await intake.take(
          busy.flatMap((each) =>
            (['moneyline', 'spread', 'total'] as const).flatMap((kind) =>
              Object.keys(each[kind].odds).map((outcome) => ({
                gameId: each.id,
                marketId: each[kind].id,
                outcome,
                american: 101 + ((round * 7) % 900),
                decimal: null,
              })),
            ),
          ),
          [],
        );
      expect(slow.size).toBe(1);
      const added = await game();
      await eventually(async () => steady.games.has(added.id), 6000);
      await proxy.restore();
      // Without another change of it.
      await eventually(async () => stalled.games.has(added.id), 6000);
      expect(stalled.known(added.id)).toEqual(steady.known(added.id));
      await move(added, 250);
      for (const follower of [stalled, steady]) {
        await caughtUp(follower, added.id);
        expect(follower.gaps).toBe(0);
      }
    } finally {
      proxy.close();
    }
  }, 60_000);

  it('of a sport are looked for by an index, however many games there have been', async () => {
    await system.db.query(
      `INSERT INTO games (id, source, external_id, sport, league, season, home_team, away_team, starts_at, first_starts_at)
       SELECT gen_random_uuid(), 'past', n::text, 'past', 'PAST', '2020', 'HOM', 'AWY', at, at
       FROM generate_series(1, 20000) n, LATERAL (SELECT timestamptz '2021-01-01' + n * interval '1 hour' AS at) t
       WHERE at < '2023-09-01'`,
    );
    await system.db.query('ANALYZE games');
    const asked: [string, unknown[]][] = [];
    const database = {
      query: async (_: string, text: string, values: unknown[]) => {
        asked.push([text, values]);
        return await Promise.resolve([]);
      },
    };
    await new OddsRepository(database as unknown as Database).followed({
      sports: [SPORT],
      leagues: ['NFL'],
      horizonDays: 8,
    });
    const [text, values] = asked[0]!;
    const { rows } = await system.db.query(`EXPLAIN (ANALYZE, COSTS OFF) ${text}`, values);
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toMatch(/Index Scan (using|on) ix_games/);
    expect(plan).not.toContain('Seq Scan on games');
  });

  it('of a sport follow the games of the days around, which come and go with time', async () => {
    const [soon, late] = [await game('2023-10-08T17:00:00Z'), await game('2023-10-20T17:00:00Z')];
    const [follower, naming] = [await follow(), await follow()];
    await follower.subscribe({ sport: SPORT });
    await naming.subscribe({ games: [late.id] });
    expect(follower.games.has(soon.id)).toBe(true);
    expect(follower.games.has(late.id)).toBe(false);
    // What they have not been told of has no changes for them.
    await move(late, 210);
    await caughtUp(naming, late.id);
    await move(soon, 210);
    await caughtUp(follower, soon.id);
    expect([follower.gaps, toldOf(follower, late.id)]).toEqual([0, []]);

    await system.moveTo('2023-10-13T12:00:00Z');
    await eventually(async () => follower.games.has(late.id), 6000);
    await move(late, 220);
    for (const each of [follower, naming]) {
      await caughtUp(each, late.id);
      expect(each.gaps).toBe(0);
    }
    expect(toldOf(follower, late.id).map(({ event }) => event)).toEqual(['odds:snapshot', 'odds:changed']);
    expect(toldOf(naming, late.id).map(({ event }) => event)).toEqual(['odds:changed', 'odds:changed']);

    // One that is put off beyond those days is told so, and no more after that.
    await system.db.query(`UPDATE games SET starts_at = '2023-12-01T17:00:00Z' WHERE id = $1`, [late.id]);
    for (const each of [follower, naming]) {
      await caughtUp(each, late.id);
      expect(each.games.get(late.id).startsAt).toBe('2023-12-01T17:00:00.000Z');
    }
  }, 60_000);

  it('of a sport do not keep its past games, and are not counted for them', async () => {
    await system.moveTo('2023-10-13T12:00:00Z');
    const [past, soon] = [await game('2023-10-13T10:00:00Z'), await game('2023-10-15T20:00:00Z')];
    const book = system.app.get(OddsBook);
    const [player] = await make.players(1);
    const [follower, naming] = [await follow(system.url, player), await follow(system.url, player)];
    const first = await follower.subscribe({ sport: SPORT });
    const near = first.data.snapshots.length;
    expect(follower.games.has(past.id)).toBe(true);
    expect(book.get(past.id)).toBeDefined();

    await system.moveTo('2023-10-15T12:00:00Z');
    await eventually(async () => book.get(past.id) === undefined, 6000);
    const { gamesPerSocket } = rules.odds;
    rules.odds.gamesPerSocket = near - 1;
    try {
      const after = { [soon.id]: follower.games.get(soon.id).seq };
      expect((await follower.subscribe({ games: [soon.id], after })).success).toBe(true);
      expect((await follower.subscribe({ sport: SPORT })).success).toBe(true);
    } finally {
      rules.odds.gamesPerSocket = gamesPerSocket;
    }

    // Who names it is told of it all the same, and nobody else.
    await naming.subscribe({ games: [past.id] });
    await system.db.query(`UPDATE games SET starts_at = '2023-10-13T10:05:00Z' WHERE id = $1`, [past.id]);
    await caughtUp(naming, past.id);
    await move(soon, 230);
    await caughtUp(follower, soon.id);
    expect(toldOf(naming, past.id)).toHaveLength(1);
    expect(toldOf(follower, past.id)).toEqual([]);
    expect(follower.gaps).toBe(0);
  }, 30_000);
});
