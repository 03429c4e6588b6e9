import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { BetDto } from '../../src/modules/bets/dto/bets.dto.js';
import { Builders, type TestGame } from '../support/builders.js';
import { Client } from '../support/client.js';
import { joinPool } from '../support/members.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import { homeWins, legOn } from '../support/slips.js';
import { someone } from '../support/staff.js';
import type { System } from '../support/system.js';

const WEEK = 202340;
const SUNDAY = '2023-10-08T17:00:00Z';

describe('bets, from outside', () => {
  let system: System;
  let make: Builders;
  let anyone: Client;
  let player: Client;
  let other: Client;
  let all: TestGame[];

  beforeAll(async () => {
    system = await startSystemWithRules(
      { bets: { cancelWindowSeconds: 300 } },
      { worker: false, at: '2023-10-03T12:00:00Z' },
    );
    make = new Builders(system);
    anyone = new Client(system.url);
    await make.week(WEEK);
    [player, other] = [await aPlayer(), await aPlayer()];
    all = [];
    while (all.length < 4) all.push(await make.game({ startsAt: SUNDAY }));
  });
  afterAll(async () => system.stop());

  async function aPlayer(): Promise<Client> {
    const [one] = (await make.players(1)) as [Client];
    await joinPool(system, WEEK, [one]);
    return one;
  }

  const parlay = (client: Client, games: readonly TestGame[], stake: number) =>
    client.bet({ legs: games.map(homeWins), stake });

  describe('a history', () => {
    let bettor: Client;
    const placed: Record<string, string> = {};

    beforeAll(async () => {
      bettor = await aPlayer();
      for (const [name, body] of [
        ['first', { ...homeWins(all[0]!), stake: 10 }],
        ['parlay', { legs: [homeWins(all[0]!), homeWins(all[1]!)], stake: 20 }],
        ['second', { ...legOn(all[1]!.total, 'over'), stake: 30 }],
        ['long', { legs: all.map(homeWins), stake: 40 }],
        ['back', { ...homeWins(all[2]!), stake: 50 }],
        ['won', { ...homeWins(all[3]!), stake: 60 }],
      ] as const)
        placed[name] = (await bettor.bet(body)).data.betId;
      await bettor.post(`bets/${placed['back']}/cancel`);
      await system.db.query(
        `UPDATE bets SET status = 'won', payout = 114, settlement_id = gen_random_uuid(), settled_at = placed_at WHERE id = $1`,
        [placed['won']],
      );
    });

    const names = async (query: string) => {
      const { status, data, error } = await bettor.get(`bets?limit=100${query}`);
      if (status !== 200) return error.code;
      const known = Object.entries(placed);
      return data.map(({ id }: { id: string }) => known.find(([, bet]) => bet === id)?.[0]);
    };

    it.each([
      ['', ['won', 'back', 'long', 'second', 'parlay', 'first']],
      ['&kind=single', ['won', 'back', 'second', 'first']],
      ['&kind=parlay', ['long', 'parlay']],
      ['&status=open', ['long', 'second', 'parlay', 'first']],
      ['&status=placed&kind=parlay', ['long', 'parlay']],
      ['&status=settled', ['won']],
      ['&status=won', ['won']],
      ['&status=cancelled', ['back']],
      ['&status=all', 'VALIDATION_FAILED'],
      ['&kind=double', 'VALIDATION_FAILED'],
      ['&gameId=x', 'VALIDATION_FAILED'],
      ['&from=yesterday', 'VALIDATION_FAILED'],
      ['&from=2023-10-03T00:00:00Z&to=2023-10-04T00:00:00Z&kind=parlay', ['long', 'parlay']],
      ['&from=2023-10-04T00:00:00Z', []],
      ['&to=2023-10-03T12:00:00Z', []],
    ])('%s is %p', async (query, found) => {
      expect(await names(query)).toEqual(found);
    });

    it.each([
      [0, ['long', 'parlay', 'first']],
      [1, ['long', 'second', 'parlay']],
      [2, ['back', 'long']],
    ])('of game %i has its singles and the parlays with a leg on it', async (game, found) => {
      expect(await names(`&gameId=${all[game]!.id}`)).toEqual(found);
    });

    it('is walked page by page with the legs of each parlay, whatever is between them', async () => {
      const whole = (await bettor.get('bets?limit=100')).data;
      const seen: unknown[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const after: string = cursor === '' ? '' : `&cursor=${cursor}`;
        const { data, body } = await bettor.get(`bets?limit=1${after}`);
        seen.push(...data);
        cursor = body.meta.pagination.nextCursor as string | null;
      }
      expect(seen).toEqual(whole);
      expect(whole.map((bet: { legs: unknown[] | null }) => bet.legs?.length ?? null)).toEqual([
        null,
        null,
        4,
        null,
        2,
        null,
      ]);
      for (const bet of whole) expect((await bettor.get(`bets/${bet.id}`)).data).toEqual(bet);
    });

    it('tells what is open, by game', async () => {
      const { data } = await bettor.get('bets/exposure');
      const bets = (await bettor.get('bets?status=open&limit=100')).data as BetDto[];
      const sum = (some: BetDto[]) => ({
        bets: some.length,
        stake: some.reduce((total, { stake }) => total + stake, 0),
        potentialPayout: some.reduce((total, bet) => total + bet.potentialPayout, 0),
      });
      expect(data).toMatchObject(sum(bets));
      expect(data.parlays).toEqual(sum(bets.filter(({ kind }) => kind === 'parlay')));
      const games = Object.fromEntries(
        data.games.map(({ gameId, ...open }: { gameId: string }) => [gameId, open]),
      );
      expect(games).toEqual(
        Object.fromEntries(
          all.map(({ id }) => [
            id,
            {
              ...sum(bets.filter(({ gameId }) => gameId === id)),
              parlays: bets.filter(({ legs }) => legs?.some((leg) => leg.gameId === id)).length,
            },
          ]),
        ),
      );
      expect((await other.get('bets/exposure')).data).toEqual({
        ...sum([]),
        games: [],
        parlays: sum([]),
      });
    });
  });

  describe('a bet that is shared', () => {
    it('is shown to anybody with its code, without its stake', async () => {
      const { data: placed } = await parlay(player, all.slice(0, 2), 70);
      const { status, data } = await player.get(`bets/${placed.betId}/share`);
      expect(status).toBe(200);
      expect(data.url).toBe(`${system.config.APP_URL}/shared-bets/${data.code}`);
      const shown = await anyone.get(`shared-bets/${data.code}`);
      expect([shown.status, shown.data]).toEqual([200, data.card]);
      const { handle } = (await player.get('users/me')).data;
      expect(data.card).toEqual({
        handle,
        kind: 'parlay',
        decimal: '3.6446',
        stake: null,
        status: 'placed',
        placedAt: placed.placedAt,
        legs: [0, 1].map(() => ({
          sport: 'american_football',
          league: 'NFL',
          homeTeam: 'HOM',
          awayTeam: 'AWY',
          startsAt: '2023-10-08T17:00:00.000Z',
          market: 'moneyline',
          line: null,
          title: null,
          outcome: 'home',
          outcomeLabel: null,
          decimal: '1.9091',
          american: -110,
          status: 'placed',
        })),
      });
      expect(JSON.stringify(shown.body)).not.toContain(player.userId);
      expect((await player.get(`bets/${placed.betId}/share`)).data).toEqual(data);
    });

    it.each([
      ['banned', "UPDATE users SET status = 'banned', ban_reason = 'spam' WHERE id = $1"],
      ['closing', "UPDATE users SET closing_at = parley_now() + interval '1 day' WHERE id = $1"],
    ])('does not tell who placed it once their account is %s', async (_, sql) => {
      const leaver = await aPlayer();
      const { data } = await leaver.bet({ ...homeWins(all[0]!), stake: 10 });
      const { code } = (await leaver.get(`bets/${data.betId}/share`)).data;
      await system.db.query(sql, [leaver.userId]);
      expect((await anyone.get(`shared-bets/${code}`)).data).toMatchObject({ handle: null, kind: 'single' });
    });

    it('is found by no code that was made up', async () => {
      const [one, two] = [
        (await player.bet({ ...homeWins(all[0]!), stake: 10 })).data.betId,
        (await player.bet({ ...homeWins(all[0]!), stake: 10 })).data.betId,
      ];
      const codes = [
        (await player.get(`bets/${one}/share`)).data.code as string,
        (await player.get(`bets/${two}/share`)).data.code as string,
      ] as const;
      const [week, id, ...proof] = codes[0].split('-');
      const of = (text: string) => text.split('-').slice(2).join('-');
      const forged = [
        `${week}-${id}-${of(codes[1])}`,
        `${week}-${two}-${proof.join('-')}`,
        `202341-${id}-${proof.join('-')}`,
        `${week}-0${id}-${proof.join('-')}`,
        `${week}-${id}-`,
        `${week}-${id}-${proof.join('-')}A`,
        `${week}-${id}-${proof.join('-').slice(1)}`,
        codes[0].toUpperCase(),
        `${week}-${id}-${'A'.repeat(22)}`,
        String(one),
        '202340-1-constructor',
        'x',
      ].filter((code) => !codes.includes(code));
      for (const code of forged) {
        const { status, error } = await anyone.get(`shared-bets/${encodeURIComponent(code)}`);
        expect([code, status, error.code]).toEqual([code, 404, 'SHARE_NOT_FOUND']);
      }
      // Of the last letter's bits some carry nothing: other letters for the same bytes are no other code.
      const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
      await fc.assert(
        fc.asyncProperty(
          fc.nat(codes[0].length - 1),
          fc.constantFrom(...letters.split('')),
          async (at, letter) => {
            const code = codes[0].slice(0, at) + letter + codes[0].slice(at + 1);
            fc.pre(code !== codes[0]);
            const { status } = await anyone.get(`shared-bets/${code}`);
            expect([code, status]).toEqual([code, 404]);
          },
        ),
        { numRuns: 150 },
      );
      for (const letter of letters.split('')) {
        const code = codes[0].slice(0, -1) + letter;
        expect((await anyone.get(`shared-bets/${code}`)).status).toBe(code === codes[0] ? 200 : 404);
      }
    }, 60_000);
  });

  it('are nobody else’s to share or take back, and nobody’s without a session', async () => {
    const { data } = await player.bet({ ...homeWins(all[0]!), stake: 10 });
    for (const [method, path] of [
      ['GET', `bets/${data.betId}/share`],
      ['POST', `bets/${data.betId}/cancel`],
    ] as const) {
      const others = await other.call(method, path);
      expect([others.status, others.error.code]).toEqual([404, 'BET_NOT_FOUND']);
      expect((await anyone.call(method, path)).status).toBe(401);
      expect((await player.call(method, path.replace(data.betId, 'x'))).status).toBe(400);
    }
    for (const [method, path, body] of [
      ['GET', 'bets/exposure', undefined],
      ['POST', 'bets/quote', { ...homeWins(all[0]!), stake: 10 }],
    ] as const)
      expect((await anyone.call(method, path, body === undefined ? {} : { body })).status).toBe(401);
    expect((await player.get(`bets/${data.betId}`)).data.status).toBe('placed');
  });

  it('are taken back once, however often that is asked for at once', async () => {
    const bettor = await aPlayer();
    const { data } = await parlay(bettor, all, 500);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => bettor.post(`bets/${data.betId}/cancel`)),
    );
    expect(new Set(answers.map(({ status, data: bet }) => JSON.stringify([status, bet]))).size).toBe(1);
    expect((await bettor.get('me')).data.pool.credits).toBe(1000);
  });

  it.each([
    ['a stake of text', { stake: '10' }],
    ['a stake of a half', { stake: 10.5 }],
    ['no stake', { stake: undefined }],
    ['a win of nothing', { stake: undefined, toWin: 0 }],
    ['an outcome that is no word', { outcome: 'Home win' }],
    ['an outcome of number', { outcome: 7 }],
    ['odds that are no id', { oddsId: 'x' }],
    ['what it does not know', { bonus: true }],
  ])('are quoted and placed for no body with %s', async (_, change) => {
    const body = { ...homeWins(all[0]!), stake: 10, ...change };
    for (const answer of [await player.post('bets/quote', body), await player.bet(body)])
      expect([answer.status, answer.error.code]).toEqual([400, 'VALIDATION_FAILED']);
  });

  describe('what an operator lets a user stake', () => {
    const limit = (client: Client, id: string, body: object) =>
      client.call('PUT', `admin/users/${id}/stake-limit`, { body });

    it('is set, read, written to the audit log and taken away; said twice it is said once', async () => {
      const admin = await make.admin();
      const compliance = await someone(system, make, 'compliance');
      const bettor = await aPlayer();
      const path = `admin/users/${bettor.userId}/stake-limit`;
      const none = { userId: bettor.userId, maxStake: null, updatedAt: null };
      expect((await admin.get(path)).data).toEqual(none);
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => limit(compliance, bettor.userId, { maxStake: 40, reason: 'Sharp' })),
      );
      expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
      expect((await admin.get(path)).data).toMatchObject({ maxStake: 40, updatedAt: expect.any(String) });
      expect((await bettor.bet({ ...homeWins(all[0]!), stake: 41 })).error).toMatchObject({
        code: 'ABOVE_MARKET_MAX',
        details: { field: 'stake', maximum: 40 },
      });
      expect((await limit(admin, bettor.userId, { maxStake: null, reason: 'Mistake' })).data).toEqual(none);
      const { data } = await admin.get('admin/audit?action=bets.stake-limit');
      expect(
        data
          .filter((entry: { subjectId: string }) => entry.subjectId === bettor.userId)
          .map(({ actorId, details }: { actorId: string; details: object }) => [actorId, details]),
      ).toEqual([
        [admin.userId, { from: 40, to: null, reason: 'Mistake' }],
        [compliance.userId, { from: null, to: 40, reason: 'Sharp' }],
      ]);
    });

    it('is refused to others, of nobody, and in another form', async () => {
      const admin = await make.admin();
      const good = { maxStake: 40, reason: 'test' };
      expect((await limit(player, other.userId, good)).status).toBe(403);
      expect((await limit(anyone, other.userId, good)).status).toBe(401);
      expect((await limit(admin, randomUUID(), good)).error.code).toBe('USER_NOT_FOUND');
      expect((await admin.get(`admin/users/${randomUUID()}/stake-limit`)).error.code).toBe('USER_NOT_FOUND');
      for (const bad of [
        { reason: 'x' },
        { maxStake: -1, reason: 'x' },
        { maxStake: '4', reason: 'x' },
        { maxStake: 4 },
        { maxStake: 4.5, reason: 'x' },
      ])
        expect((await limit(admin, other.userId, bad)).error.code).toBe('VALIDATION_FAILED');
      expect((await admin.get(`admin/users/${other.userId}/stake-limit`)).data.maxStake).toBeNull();
    });
  });
});
