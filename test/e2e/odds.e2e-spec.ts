import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { v7 } from 'uuid';
import { createApi } from '../../src/bootstrap.js';
import { OddsBook } from '../../src/modules/sports/odds/odds-book.js';
import { OddsBroadcast } from '../../src/modules/sports/odds/odds-broadcast.js';
import { OddsIntakeService } from '../../src/modules/sports/odds/odds-intake.service.js';
import { OddsRepository } from '../../src/modules/sports/odds/odds.repository.js';
import { ResultsService } from '../../src/modules/sports/results.service.js';
import { Rules } from '../../src/platform/config/rules.js';
import { SocketsService } from '../../src/platform/realtime/sockets.service.js';
import { Builders, type TestGame } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { type Json, OddsFollower, ordered } from '../support/odds-follower.js';
import { eventually, startSystem, type System } from '../support/system.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const KINDS = ['moneyline', 'spread', 'total'] as const;

describe('games that are followed', () => {
  let system: System;
  let second: NestExpressApplication;
  let secondUrl: string;
  let make: Builders;
  let intake: OddsIntakeService;
  let reader: Client;
  let admin: Client;
  const open: OddsFollower[] = [];

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
    second = await createApi(system.config);
    await second.listen(0, '127.0.0.1');
    secondUrl = `http://127.0.0.1:${(second.getHttpServer().address() as AddressInfo).port}`;
    make = new Builders(system);
    intake = system.app.get(OddsIntakeService);
    [reader] = (await make.players(1)) as [Client];
    admin = await make.admin();
  });
  afterEach(() => {
    for (const follower of open.splice(0)) follower.close();
  });
  afterAll(async () => {
    await second.close();
    await system.stop();
  });

  async function follow(url: string, who = reader): Promise<OddsFollower> {
    const follower = await OddsFollower.connect(url, who);
    open.push(follower);
    return follower;
  }

  const game = async (startsAt = '2023-10-08T17:00:00Z') => await make.game({ startsAt });
  const any = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)]!;
  const price = (of: TestGame, kind: (typeof KINDS)[number], outcome: string, american: number) => ({
    gameId: of.id,
    marketId: of[kind].id,
    outcome,
    american,
    decimal: null,
  });
  const someMove = (of: TestGame) => {
    const kind = any(KINDS);
    return price(of, kind, any(Object.keys(of[kind].odds)), 100 + Math.floor(Math.random() * 400));
  };
  const rest = async (id: string) => ordered((await reader.get(`games/${id}`)).data);
  const caughtUp = async (follower: OddsFollower, id: string, ms = 10_000) =>
    await eventually(async () => {
      const now = await rest(id);
      return follower.games.get(id)?.seq === now.seq && now;
    }, ms);

  it('are answered with snapshots, and what follows makes of them what GET games answers', async () => {
    const games = await Promise.all(Array.from({ length: 5 }, () => game()));
    const ids = games.map(({ id }) => id);
    const followers = await Promise.all([system.url, secondUrl, secondUrl].map((url) => follow(url)));
    const bodies = [{ games: ids }, { games: ids }, { sport: 'american_football', games: ids.slice(0, 2) }];
    const answers = await Promise.all(followers.map((follower, index) => follower.subscribe(bodies[index])));
    for (const { success, data, meta } of answers) {
      expect(success).toBe(true);
      expect(meta.timestamp).toMatch(/^2023-10-03T/);
      for (const id of ids)
        expect(ordered(data.snapshots.find((each: Json) => each.id === id))).toEqual(await rest(id));
    }
    const operate = async () => {
      for (let round = 0; round < 10; round += 1) {
        const { id } = any(games)[any(KINDS)];
        await admin.post(`admin/markets/${id}/suspend`, { reason: 'a test' });
        await intake.take(games.map(someMove), ids);
        await admin.post(`admin/markets/${id}/resume`, { reason: 'a test' });
        await admin.call('PUT', `admin/markets/${id}/limit`, { body: { maxStake: round, reason: 'a test' } });
      }
      await admin.post(`admin/games/${ids[0]}/markets`, {
        key: 'first_touchdown',
        title: 'First touchdown',
        outcomes: [
          { key: 'kelce', label: 'Travis Kelce', american: -110 },
          { key: 'hill', label: 'Tyreek Hill', decimal: '1.95' },
        ],
      });
    };
    const feed = async () => {
      for (let round = 0; round < 60; round += 1)
        await intake.take(
          Array.from({ length: 8 }, () => someMove(any(games))),
          ids,
        );
    };
    const join = async () => {
      for (const [n, player] of (await make.players(30)).entries()) {
        const late = await follow(n % 2 ? system.url : secondUrl, player);
        await late.subscribe({ games: ids });
        followers.push(late);
      }
    };
    await Promise.all([operate(), feed(), feed(), join()]);
    for (const follower of followers) {
      for (const id of ids) {
        const now = await caughtUp(follower, id);
        expect(follower.known(id)).toEqual(now);
      }
      expect(follower.gaps).toBe(0);
      // Nothing twice: of each game the numbers only rise.
      for (const id of ids) {
        const seqs = follower.told
          .filter(({ payload }) => payload.gameId === id)
          .map(({ payload }) => payload.seq);
        expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
      }
    }
  }, 60_000);

  it('are joined between a change and its telling without a gap', async () => {
    const followed = await game();
    const [early, late] = [await follow(system.url), await follow(system.url)];
    await early.subscribe({ games: [followed.id] });
    // As when it is busy.
    system.app.get(OddsBroadcast)['restsUntil'] = performance.now() + 60_000;
    await intake.take([price(followed, 'moneyline', 'home', 140)], []);
    const { seq } = await rest(followed.id);
    await eventually(async () => system.app.get(OddsBook).get(followed.id)?.seq === seq);
    expect(early.told).toEqual([]);
    await late.subscribe({ games: [followed.id] });
    expect(late.games.get(followed.id).seq).toBe(seq);
    await intake.take([price(followed, 'moneyline', 'home', 145)], []);
    for (const follower of [early, late]) {
      await caughtUp(follower, followed.id);
      expect(follower.gaps).toBe(0);
    }
    expect([early, late].map(({ told }) => told.length)).toEqual([2, 1]);
  });

  it('go on after the number that a client knows, with exactly what has changed since', async () => {
    const followed = await game();
    const first = await follow(system.url);
    await first.subscribe({ games: [followed.id] });
    const known = first.games.get(followed.id);
    first.close();
    await intake.take([price(followed, 'moneyline', 'home', 150)], []);
    await intake.take([price(followed, 'moneyline', 'home', 155)], []);
    await admin.post(`admin/markets/${followed.spread.id}/suspend`, { reason: 'a test' });
    const { seq: latest } = await rest(followed.id);
    // Who still has the game in hand has heard of it all.
    for (const app of [system.app, second])
      await eventually(async () => (app.get(OddsBook).get(followed.id)?.seq ?? latest) === latest);
    for (const url of [system.url, secondUrl]) {
      const again = await follow(url);
      again.games.set(followed.id, known);
      const { data } = await again.subscribe({ games: [followed.id], after: { [followed.id]: known.seq } });
      expect(data.snapshots).toEqual([]);
      const [{ from, seq, prices, markets }] = data.changes;
      expect([from, seq]).toEqual([known.seq, Number(known.seq) + 3]);
      expect(prices).toEqual([
        expect.objectContaining({ marketId: followed.moneyline.id, outcome: 'home', american: 155 }),
      ]);
      expect(markets.map(({ id, status }: Json) => [id, status])).toEqual([
        [followed.spread.id, 'suspended'],
      ]);
      expect(again.known(followed.id)).toEqual(await rest(followed.id));
      const none = await again.subscribe({ games: [followed.id], after: { [followed.id]: seq } });
      expect(none.data.changes).toEqual([
        expect.objectContaining({ from: seq, seq, prices: [], markets: [] }),
      ]);
      const nonsense = await again.subscribe({
        games: [followed.id],
        after: { [followed.id]: Number(seq) + 99 },
      });
      expect(nonsense.data.snapshots).toHaveLength(1);
    }
  });

  it('are the same by an id in capitals, as they are to REST', async () => {
    const followed = await game();
    const capitals = followed.id.toUpperCase();
    expect((await reader.get(`games/${capitals}`)).data.id).toBe(followed.id);
    const follower = await follow(system.url);
    const { data } = await follower.subscribe({ games: [capitals, followed.id] });
    expect(data.snapshots.map(({ id }: Json) => id)).toEqual([followed.id]);
    await intake.take([price(followed, 'moneyline', 'home', 150)], []);
    const now = await caughtUp(follower, followed.id);
    expect(follower.known(followed.id)).toEqual(now);
    const { seq } = data.snapshots[0];
    const again = await follower.ask('subscribe', { games: [capitals], after: { [capitals]: seq } });
    expect(again.data.snapshots).toEqual([]);
    expect(again.data.changes.map(({ gameId, from }: Json) => [gameId, from])).toEqual([[followed.id, seq]]);
    expect((await follower.ask('unsubscribe', { games: [capitals] })).success).toBe(true);
    const heard = follower.told.length;
    const other = await follow(system.url);
    await other.subscribe({ games: [followed.id] });
    await intake.take([price(followed, 'moneyline', 'home', 155)], []);
    await caughtUp(other, followed.id);
    expect(follower.told).toHaveLength(heard);
  });

  it('are told on when a message was lost on its way', async () => {
    const followed = await game();
    const follower = await follow(secondUrl);
    await follower.subscribe({ games: [followed.id] });
    const lose = async (american: number) => {
      const row = price(followed, 'total', 'over', american);
      await system.app
        .get(OddsRepository)
        .take([{ ...row, oddsId: v7(), price: { num: BigInt(american + 100), den: 100n } }], []);
    };
    // What comes after it shows the gap …
    await lose(210);
    await intake.take([price(followed, 'moneyline', 'home', 220)], []);
    await caughtUp(follower, followed.id, 1500);
    expect(follower.known(followed.id)).toEqual(await rest(followed.id));
    // … and after the last one somebody looks.
    await lose(230);
    await caughtUp(follower, followed.id, 4000);
    expect(follower.known(followed.id)).toEqual(await rest(followed.id));
    expect(follower.gaps).toBe(0);
  });

  it('are told to be suspended, open again, begun, closed and over', async () => {
    const followed = await game('2023-10-03T12:10:00Z');
    const follower = await follow(secondUrl);
    await follower.subscribe({ games: [followed.id] });
    await admin.post(`admin/markets/${followed.total.id}/suspend`, { reason: 'a test' });
    // Of what changes faster than it is read the last state alone is told.
    await caughtUp(follower, followed.id);
    await admin.post(`admin/markets/${followed.total.id}/resume`, { reason: 'a test' });
    await caughtUp(follower, followed.id);
    await system.moveTo('2023-10-03T12:10:01Z');
    await system.app.get(ResultsService).lockAtStart(followed.id);
    await caughtUp(follower, followed.id);
    await admin.post(`admin/games/${followed.id}/result`, {
      status: 'in_progress',
      homeScore: 7,
      awayScore: 0,
    });
    await caughtUp(follower, followed.id);
    await admin.post(`admin/games/${followed.id}/result`, { status: 'final', homeScore: 21, awayScore: 17 });
    await caughtUp(follower, followed.id);
    const told = (event: string, of: (payload: Json) => unknown) =>
      follower.told.filter((each) => each.event === event).map(({ payload }) => of(payload));
    const totals = told(
      'market:status',
      ({ markets }) => markets.find(({ id }: Json) => id === followed.total.id)?.status,
    );
    expect(totals.filter((status) => status !== undefined)).toEqual(['suspended', 'open', 'closed']);
    expect(told('game:status', ({ status, homeScore, awayScore }) => [status, homeScore, awayScore])).toEqual(
      [
        ['in_progress', null, null],
        ['in_progress', 7, 0],
        ['final', 21, 17],
      ],
    );
    expect(follower.known(followed.id)).toEqual(await rest(followed.id));
    expect(follower.gaps).toBe(0);
  });

  it('come to who follows their sport or league when they are new, and to nobody else', async () => {
    const [bySport, byLeague, elsewhere] = await Promise.all([
      follow(system.url),
      follow(secondUrl),
      follow(secondUrl),
    ]);
    await bySport.subscribe({ sport: 'american_football' });
    await byLeague.subscribe({ league: 'NFL' });
    expect((await elsewhere.subscribe({ sport: 'curling' })).data).toEqual({ snapshots: [], changes: [] });
    const added = await game();
    await intake.take([price(added, 'moneyline', 'home', 333)], []);
    for (const follower of [bySport, byLeague]) {
      await eventually(async () => follower.games.has(added.id), 5000);
      await caughtUp(follower, added.id);
      expect(follower.known(added.id)).toEqual(await rest(added.id));
    }
    expect(elsewhere.games.size).toBe(0);
    await bySport.ask('unsubscribe', {});
    const before = bySport.told.length;
    await intake.take([price(added, 'moneyline', 'home', 334)], []);
    await caughtUp(byLeague, added.id);
    expect(bySport.told).toHaveLength(before);
  });

  it('are refused with the codes of REST', async () => {
    const followed = await game();
    const follower = await follow(system.url);
    const refusal = async (body: unknown) => {
      const { success, error } = await follower.subscribe(body);
      expect(success).toBe(false);
      return error;
    };
    const missing = v7();
    expect(await refusal({ games: [followed.id, missing] })).toMatchObject({
      code: 'GAME_NOT_FOUND',
      details: { gameId: missing },
      requestId: expect.any(String),
    });
    for (const body of [
      null,
      'games',
      [],
      { games: 'all' },
      { games: ['x'] },
      { games: null },
      { sport: 7 },
      { league: '' },
      { after: { x: 1 } },
      { after: { [missing]: -1 } },
      { after: [] },
      { unknown: true },
      { constructor: 1 },
    ])
      expect([body, (await refusal(body)).code]).toEqual([body, 'VALIDATION_FAILED']);
    const rules = system.app.get(Rules).realtime.odds;
    const { gamesPerSocket } = rules;
    rules.gamesPerSocket = 2;
    try {
      const more = await Promise.all([game(), game(), game()]);
      const ids = more.map(({ id }) => id);
      expect((await refusal({ games: ids })).code).toBe('TOO_MANY_GAMES');
      expect((await follower.subscribe({ games: ids.slice(0, 2) })).success).toBe(true);
      expect((await refusal({ games: ids.slice(2) })).details).toEqual({ limit: 2, games: 3 });
      expect((await follower.ask('unsubscribe', { games: ids.slice(0, 1) })).data).toBeNull();
      expect((await follower.subscribe({ games: ids.slice(2) })).success).toBe(true);
    } finally {
      rules.gamesPerSocket = gamesPerSocket;
    }
    // Nothing that was refused is followed.
    const before = follower.told.length;
    await intake.take([price(followed, 'moneyline', 'home', 400)], []);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(follower.told).toHaveLength(before);
  });

  it('are closed to who has excluded themselves', async () => {
    const [excluded] = (await make.players(1)) as [Client];
    await system.db.query(
      `INSERT INTO restrictions (id, user_id, kind, starts_at, ends_at)
       VALUES ($1, $2, 'self_exclusion', parley_now(), parley_now() + interval '1 year')`,
      [v7(), excluded.userId],
    );
    await expect(follow(system.url, excluded)).rejects.toThrow('SELF_EXCLUDED');
  });

  it('wait for a client whose network has stopped as one state each, and are then as they should be', async () => {
    const games = await Promise.all(Array.from({ length: 20 }, () => game()));
    const ids = games.map(({ id }) => id);
    const proxy = await TcpProxy.to(system.url);
    try {
      const stalled = await follow(proxy.url);
      const steady = await follow(system.url);
      for (const follower of [stalled, steady]) await follower.subscribe({ games: ids });
      const [server] = [...system.app.get(SocketsService)['server']!.of('/odds').sockets.values()].filter(
        ({ conn }) => (conn as Json).id === stalled.socket.io.engine.id,
      );
      const { conn } = server!;
      const socketOf = () => (conn.transport as Json).socket._socket;
      proxy.mute();
      let most = 0;
      let kept = 0;
      // Of a machine that is busy less is told, and it takes more rounds until the network is full.
      const slow = system.app.get(OddsBroadcast)['slow'];
      let fullAt: number | null = null;
      for (let round = 0; round < (fullAt ?? 2000) + 200; round += 1) {
        if (slow.size > 0) fullAt ??= round;
        // Every outcome of every market, so that it takes many more bytes than the network holds back.
        await intake.take(
          games.flatMap((each) =>
            KINDS.flatMap((kind) =>
              Object.keys(each[kind].odds).map((outcome) =>
                price(each, kind, outcome, 101 + ((round * 7) % 900)),
              ),
            ),
          ),
          [],
        );
        most = Math.max(most, (conn as Json).writeBuffer.length);
        kept = Math.max(kept, socketOf()?.writableLength ?? 0);
      }
      const perTurn = games.length;
      expect(fullAt).not.toBeNull();
      expect(most).toBeLessThanOrEqual(perTurn);
      expect(kept).toBeLessThan(200_000);
      for (const id of ids) await caughtUp(steady, id);
      await proxy.restore();
      for (const id of ids) {
        await caughtUp(stalled, id);
        expect(stalled.known(id)).toEqual(await rest(id));
      }
      expect(stalled.gaps).toBe(0);
      // It was spared what came once its network was full.
      const count = (follower: OddsFollower) => follower.told.length;
      expect(count(stalled)).toBeLessThan(count(steady));
    } finally {
      proxy.close();
    }
  }, 90_000);
});
