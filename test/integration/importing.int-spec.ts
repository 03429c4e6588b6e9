import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { BetDto } from '../../src/modules/bets/dto/bets.dto.js';
import type { GameDto, MarketDto } from '../../src/modules/sports/dto/games.dto.js';
import { ImportService } from '../../src/modules/sports/import.service.js';
import { ResultsService } from '../../src/modules/sports/results.service.js';
import type { ImportReport } from '../../src/modules/sports/sports.types.js';
import { Builders, unbalanced } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { Deliveries } from '../support/deliveries.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import type { System } from '../support/system.js';

const WEEK = 202340;
const TUESDAY = '2023-10-03T12:00:00Z';
const SUNDAY_AFTERNOON = '2023-10-08T17:00:00Z';

const FIXTURES = join(import.meta.dirname, '../fixtures/importers');
const SEASONS = join(import.meta.dirname, '../../data/seasons');

let system: System;
let make: Builders;
let admin: Client;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parley-import-'));
  system = await startSystemWithRules({}, { worker: false, at: TUESDAY });
  make = new Builders(system);
  admin = await make.admin();
  await make.week(WEEK);
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await system.stop();
});
beforeEach(async () => system.moveTo(TUESDAY));

const importFile = async (path: string): Promise<ImportReport> =>
  await system.app.get(ImportService).importFile(path);

/** Everything that an import may write, but for the times at which it did. */
async function stored(): Promise<unknown> {
  const { rows } = await system.db.query(
    `SELECT (SELECT md5(string_agg((to_jsonb(g) - 'updated_at')::text, '' ORDER BY id)) FROM games g) AS games,
            (SELECT md5(string_agg((to_jsonb(m) - 'updated_at')::text, '' ORDER BY id)) FROM markets m) AS markets,
            (SELECT md5(string_agg(to_jsonb(p)::text, '' ORDER BY market_id, outcome)) FROM market_prices p) AS prices,
            (SELECT count(*) FROM odds) AS odds, (SELECT count(*) FROM outbox) AS events,
            (SELECT count(*) FROM audit_log) AS audited,
            (SELECT md5(string_agg(to_jsonb(d)::text, '' ORDER BY kind, subject)) FROM deadlines d) AS deadlines`,
  );
  return rows[0];
}

const COLUMNS = {
  game_id: '',
  season: '2023',
  gameday: '2023-10-08',
  gametime: '13:00',
  home_team: 'HOM',
  away_team: 'AWY',
  location: 'Home',
  home_score: '',
  away_score: '',
  overtime: '',
  home_moneyline: '-150',
  away_moneyline: '130',
  spread_line: '3',
  home_spread_odds: '-110',
  away_spread_odds: '-110',
  total_line: '45',
  over_odds: '-110',
  under_odds: '-110',
};

let files = 0;

/** A season file of these games; what is not given is as in COLUMNS. */
function seasonFile(...games: (Partial<typeof COLUMNS> & { game_id: string })[]): string {
  const path = join(folder, `season-${(files += 1)}.csv`);
  const rows = games.map((game) => Object.values({ ...COLUMNS, ...game }).join(','));
  writeFileSync(path, `${[Object.keys(COLUMNS).join(','), ...rows].join('\n')}\n`);
  return path;
}

async function gameOf(externalId: string): Promise<GameDto> {
  const { rows } = await system.db.query('SELECT id FROM games WHERE external_id = $1', [externalId]);
  return (await admin.get<GameDto>(`games/${rows[0].id}`)).data;
}

const marketOf = (game: Pick<GameDto, 'markets'>, kind: string, line: string | null = null): MarketDto =>
  game.markets.find((market) => market.kind === kind && (line === null || market.line === line))!;

async function deadlinesOf(id: string): Promise<Record<string, string>> {
  const { rows } = await system.db.query('SELECT kind, due_at FROM deadlines WHERE subject = $1', [id]);
  return Object.fromEntries(rows.map((row) => [row.kind, row.due_at.toISOString()]));
}

const newMember = async () => make.member(WEEK);

describe('importing real files', () => {
  it.each([
    { file: join(SEASONS, 'nfl-2023.csv'), games: 285, results: 64 },
    { file: join(FIXTURES, 'football-data-2223.csv'), games: 10, results: 10 },
    { file: join(FIXTURES, 'football-data-1213-latin1.csv'), games: 6, results: 6 },
  ])(
    'adds $games games of $file, with the results of those begun, and nothing when done again',
    async ({ file, games, results }) => {
      const first = await importFile(file);
      expect(first).toMatchObject({ games, added: games, changed: 0, results });
      const before = await stored();
      const again = await importFile(file);
      expect(again).toEqual({ ...first, added: 0, changed: 0, prices: 0, results: 0 });
      expect(await stored()).toEqual(before);
    },
  );

  it('shows the slate of a Sunday as it was, without scores before the start', async () => {
    const slate = await admin.get<GameDto[]>('games?date=2023-10-08&sport=american_football&limit=100');
    expect(slate.data).toHaveLength(12);
    expect(new Set(slate.data.map((game) => game.status))).toEqual(new Set(['scheduled']));
    const game = slate.data.find((one) => one.externalId === '2023_05_DAL_SF')!;
    expect(game).toMatchObject({
      homeTeam: 'SF',
      awayTeam: 'DAL',
      startsAt: '2023-10-09T00:20:00.000Z',
      homeScore: null,
    });
    expect(game.markets.map((market) => [market.kind, market.line, market.status])).toEqual([
      ['moneyline', null, 'open'],
      ['spread', '-3.50', 'open'],
      ['total', '45.00', 'open'],
    ]);
    expect(await deadlinesOf(game.id)).toEqual({
      'game-lock': '2023-10-09T00:20:00.000Z',
      'game-overdue': '2023-10-10T06:20:00.000Z',
    });
  });

  it('has 1X2 as a three-way market: home, draw, away', async () => {
    const game = await gameOf('e0-2022-23-2022-08-06-fulham-liverpool');
    expect(game.markets.map(({ kind, line }) => `${kind} ${line}`).toSorted()).toEqual([
      'spread 1.75',
      'three_way null',
      'total 2.50',
    ]);
    expect(marketOf(game, 'three_way').prices.map(({ outcome, decimal }) => [outcome, decimal])).toEqual([
      ['home', '11.2000'],
      ['draw', '6.2200'],
      ['away', '1.2800'],
    ]);
  });

  it('leaves bad rows out whole, names line and column, and keeps the others', async () => {
    const before = (await system.db.query('SELECT count(*)::int AS n FROM games')).rows[0].n;
    const report = await importFile(join(FIXTURES, 'bad-rows.csv'));
    const after = (await system.db.query('SELECT count(*)::int AS n FROM games')).rows[0].n;
    expect(after - before).toBe(report.added);
    expect(report.issues.length).toBeGreaterThan(20);
    for (const issue of report.issues)
      expect(issue).toMatchObject({ line: expect.any(Number), problem: expect.any(String) });
    expect(report.issues).toContainEqual(
      expect.objectContaining({ line: 3, column: 'gameday', value: '2023-02-30' }),
    );
    const { rows: halves } = await system.db.query(
      `SELECT m.id FROM markets m LEFT JOIN market_prices p ON p.market_id = m.id
       GROUP BY m.id HAVING count(p.*) <> CASE m.kind WHEN 'three_way' THEN 3 ELSE 2 END`,
    );
    expect(halves).toEqual([]);
  });

  it('refuses a file that is no season', async () => {
    const before = await stored();
    const path = join(folder, 'other.csv');
    writeFileSync(path, 'a,b\n1,2\n');
    await expect(importFile(path)).rejects.toMatchObject({ code: 'SEASON_FILE_HEADER' });
    await expect(importFile(join(folder, 'absent.csv'))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await stored()).toEqual(before);
  });
});

describe('importing what has changed', () => {
  it('makes a new odds row of a new price; bets keep the price they took', async () => {
    await importFile(seasonFile({ game_id: 'price' }));
    const player = await newMember();
    const total = marketOf(await gameOf('price'), 'total');
    const body = { marketId: total.id, outcome: 'over', stake: 110, oddsId: total.prices[0]!.oddsId };
    const placed = await player.bet(body);
    expect(placed.data).toMatchObject({ potentialPayout: 210, odds: { american: -110 } });
    const report = await importFile(seasonFile({ game_id: 'price', over_odds: '105' }));
    expect(report).toMatchObject({ added: 0, changed: 0, prices: 1 });
    const now = marketOf(await gameOf('price'), 'total');
    expect(now.prices.map((price) => price.american)).toEqual([105, -110]);
    expect(now.prices[1]!.oddsId).toBe(total.prices[1]!.oddsId);
    expect((await player.get(`bets/${placed.data.betId}`)).data).toMatchObject({
      potentialPayout: 210,
      odds: { oddsId: total.prices[0]!.oddsId, american: -110 },
    });
    const refused = await player.bet(body);
    expect(refused.error).toMatchObject({
      code: 'ODDS_CHANGED',
      details: { current: { oddsId: now.prices[0]!.oddsId, american: 105 } },
    });
    expect((await player.bet({ ...body, acceptOdds: 'better' })).data.odds.american).toBe(105);
  });

  it('leaves out a market whose prices cannot be right, and reports it; the others are priced', async () => {
    await importFile(seasonFile({ game_id: 'wrong' }));
    const before = await gameOf('wrong');
    const report = await importFile(
      seasonFile({ game_id: 'wrong', over_odds: '125', home_spread_odds: '-105' }),
    );
    expect(report).toMatchObject({ prices: 1 });
    expect(report.issues).toEqual([
      {
        line: 2,
        column: null,
        value: '125/-110',
        problem: 'the total market of wrong was left out (OVERROUND_LOW)',
      },
    ]);
    const after = await gameOf('wrong');
    expect(marketOf(after, 'total')).toEqual(marketOf(before, 'total'));
    expect(marketOf(after, 'spread').prices[0]!.american).toBe(-105);
  });

  it('makes a new market of a moved line and suspends the old one, which opens when the line moves back', async () => {
    await importFile(seasonFile({ game_id: 'line' }));
    const old = marketOf(await gameOf('line'), 'spread');
    expect(old).toMatchObject({ line: '-3.00', status: 'open' });
    await importFile(seasonFile({ game_id: 'line', spread_line: '3.5' }));
    let game = await gameOf('line');
    expect(marketOf(game, 'spread', '-3.00')).toMatchObject({
      id: old.id,
      prices: old.prices,
      status: 'suspended',
    });
    expect(marketOf(game, 'spread', '-3.50')).toMatchObject({ status: 'open' });
    const player = await newMember();
    const bet = {
      marketId: old.id,
      outcome: 'home',
      stake: 10,
      oddsId: old.prices[0]!.oddsId,
      acceptOdds: 'any',
    };
    expect((await player.bet(bet)).error.code).toBe('MARKET_NOT_OPEN');
    await importFile(seasonFile({ game_id: 'line', spread_line: '3', home_spread_odds: '-105' }));
    game = await gameOf('line');
    expect(marketOf(game, 'spread', '-3.00')).toMatchObject({ id: old.id, status: 'open' });
    expect(marketOf(game, 'spread', '-3.50')).toMatchObject({ status: 'suspended' });
    expect((await player.bet({ ...bet, acceptOdds: 'exact' })).error.code).toBe('ODDS_CHANGED');
  });

  it('leaves suspended what an operator has suspended', async () => {
    const file = seasonFile({ game_id: 'halt' });
    await importFile(file);
    const { id } = marketOf(await gameOf('halt'), 'total');
    expect((await admin.post(`admin/markets/${id}/suspend`, { reason: 'a rumour' })).status).toBe(200);
    await importFile(file);
    await importFile(seasonFile({ game_id: 'halt', over_odds: '-120' }));
    expect(marketOf(await gameOf('halt'), 'total').status).toBe('suspended');
  });

  it("leaves an operator's halt on a kind of market wherever its line moves, until it is lifted", async () => {
    const move = async (total_line: string) =>
      await importFile(seasonFile({ game_id: 'halted', total_line }));
    const totals = async () =>
      Object.fromEntries(
        (await gameOf('halted')).markets
          .filter(({ kind }) => kind === 'total')
          .map(({ line, status }) => [line, status]),
      );
    await move('45');
    const first = marketOf(await gameOf('halted'), 'total');
    expect((await admin.post(`admin/markets/${first.id}/suspend`, { reason: 'a rumour' })).status).toBe(200);
    await move('46');
    expect(await totals()).toEqual({ '45.00': 'suspended', '46.00': 'suspended' });
    await move('45');
    expect(await totals()).toEqual({ '45.00': 'suspended', '46.00': 'suspended' });
    await move('46');
    expect(marketOf(await gameOf('halted'), 'spread').status).toBe('open');
    const second = marketOf(await gameOf('halted'), 'total', '46.00');
    expect((await admin.post(`admin/markets/${second.id}/resume`, { reason: 'untrue' })).status).toBe(200);
    expect(await totals()).toEqual({ '45.00': 'suspended', '46.00': 'open' });
    await move('45');
    expect(await totals()).toEqual({ '45.00': 'open', '46.00': 'suspended' });
    // Halted while its line is away and back: the feed had suspended the other line, an operator this one.
    expect((await admin.post(`admin/markets/${first.id}/suspend`, { reason: 'again' })).status).toBe(200);
    await move('46');
    expect(await totals()).toEqual({ '45.00': 'suspended', '46.00': 'suspended' });
    const { rows } = await system.db.query(
      'SELECT suspended_by FROM markets WHERE id = ANY ($1) ORDER BY line',
      [[first.id, second.id]],
    );
    expect(rows).toEqual([{ suspended_by: 'operator' }, { suspended_by: 'operator' }]);
  });

  describe('a start that the feed moves beyond the grace', () => {
    const moved = { game_id: '', gameday: '2023-10-09', gametime: '13:00' };

    async function betOn(game_id: string) {
      await importFile(seasonFile({ game_id }));
      const player = await newMember();
      const { markets } = await gameOf(game_id);
      const { id: marketId, prices } = marketOf({ markets }, 'total');
      const placed = await player.bet({ marketId, outcome: 'over', stake: 100, oddsId: prices[0]!.oddsId });
      expect(placed.status).toBe(201);
      return async () => {
        await new Deliveries(system).all();
        const { data } = await player.get<BetDto>(`bets/${placed.data.betId}`);
        return [data.status, data.payout, data.reason];
      };
    }

    it('is a change of schedule more than 24 hours before it: bets stand, the grace runs from the new start', async () => {
      const bet = await betOn('flexed');
      await system.moveTo('2023-10-07T16:59:00Z');
      expect(await importFile(seasonFile({ ...moved, game_id: 'flexed' }))).toMatchObject({ changed: 1 });
      const { id, status, startsAt } = await gameOf('flexed');
      expect([status, startsAt]).toEqual(['scheduled', '2023-10-09T17:00:00.000Z']);
      expect(await bet()).toEqual(['placed', null, null]);
      const results = system.app.get(ResultsService);
      await results.report(null, id, { status: 'postponed', startsAt: new Date('2023-10-10T05:00:00Z') });
      expect(await bet()).toEqual(['placed', null, null]);
      await results.report(null, id, { status: 'postponed', startsAt: new Date('2023-10-10T05:00:01Z') });
      expect(await bet()).toEqual(['void', 100, 'GAME_CANCELLED']);
    });

    it('is a postponement within 24 hours of it: bets are void', async () => {
      const bet = await betOn('put off late');
      await system.moveTo('2023-10-07T17:01:00Z');
      const file = seasonFile({ ...moved, game_id: 'put off late', total_line: '47' });
      expect(await importFile(file)).toMatchObject({ changed: 1, issues: [] });
      const game = await gameOf('put off late');
      expect(game.status).toBe('cancelled');
      expect(new Set(game.markets.map(({ status }) => status))).toEqual(new Set(['closed']));
      expect(await bet()).toEqual(['void', 100, 'GAME_CANCELLED']);
      const before = await stored();
      expect(await importFile(file)).toMatchObject({ changed: 0 });
      expect(await stored()).toEqual(before);
    });

    it('keeps its bets within the grace, counted from the first start however often it is moved', async () => {
      const bet = await betOn('creeping');
      await system.moveTo('2023-10-08T12:00:00Z');
      await importFile(seasonFile({ game_id: 'creeping', gametime: '20:00' }));
      const { id, status, startsAt } = await gameOf('creeping');
      expect([status, startsAt]).toEqual(['scheduled', '2023-10-09T00:00:00.000Z']);
      expect(await deadlinesOf(id)).toMatchObject({ 'game-lock': startsAt });
      expect(await bet()).toEqual(['placed', null, null]);
      await importFile(seasonFile({ ...moved, game_id: 'creeping', gametime: '01:01' }));
      expect(await bet()).toEqual(['void', 100, 'GAME_CANCELLED']);
    });
  });

  it('moves the deadlines with the start', async () => {
    await importFile(seasonFile({ game_id: 'start' }));
    const report = await importFile(seasonFile({ game_id: 'start', gametime: '20:20' }));
    expect(report).toMatchObject({ added: 0, changed: 1 });
    const { id, startsAt } = await gameOf('start');
    expect(startsAt).toBe('2023-10-09T00:20:00.000Z');
    expect(await deadlinesOf(id)).toEqual({
      'game-lock': '2023-10-09T00:20:00.000Z',
      'game-overdue': '2023-10-10T06:20:00.000Z',
    });
  });

  it('does not undo what an operator has said of the start by saying the old one again', async () => {
    await importFile(seasonFile({ game_id: 'moved' }));
    const { id } = await gameOf('moved');
    const startsAt = '2023-10-08T23:00:00.000Z';
    const results = system.app.get(ResultsService);
    await results.report(null, id, { status: 'postponed', startsAt: new Date(startsAt) });
    expect(await importFile(seasonFile({ game_id: 'moved' }))).toMatchObject({ changed: 0 });
    expect((await gameOf('moved')).startsAt).toBe(startsAt);
    expect(await importFile(seasonFile({ game_id: 'moved', gametime: '18:00' }))).toMatchObject({
      changed: 1,
    });
    expect((await gameOf('moved')).startsAt).toBe('2023-10-08T22:00:00.000Z');
  });

  it('takes over a start that turns out to have been earlier: bets since then are void', async () => {
    await importFile(seasonFile({ game_id: 'early' }));
    const player = await newMember();
    const { id, ...game } = await gameOf('early');
    const { id: marketId, prices } = marketOf(game, 'total');
    const bet = async () =>
      await player.bet({ marketId, outcome: 'over', stake: 100, oddsId: prices[0]!.oddsId });
    await system.moveTo('2023-10-08T16:00:00Z');
    expect((await bet()).status).toBe(201);
    await system.moveTo('2023-10-08T16:45:00Z');
    expect((await bet()).status).toBe(201);
    const report = await importFile(seasonFile({ game_id: 'early', gametime: '12:30' }));
    expect(report).toMatchObject({ changed: 1 });
    expect((await bet()).error.code).toBe('GAME_STARTED');
    expect(await deadlinesOf(id)).toMatchObject({ 'game-lock': '2023-10-08T16:30:00.000Z' });
    await system.moveTo('2023-10-08T20:30:00Z');
    await importFile(
      seasonFile({ game_id: 'early', gametime: '12:30', home_score: '30', away_score: '20', overtime: '0' }),
    );
    await new Deliveries(system).all();
    const bets = await player.get<BetDto[]>('bets');
    expect(bets.data.map((one) => [one.status, one.payout, one.reason])).toEqual([
      ['void', 100, 'TAKEN_AFTER_START'],
      ['won', 190, null],
    ]);
    expect(await unbalanced(system)).toEqual([]);
  });

  it('waits for the bets being placed before a line or a start moves, and not for a price', async () => {
    await importFile(seasonFile({ game_id: 'gate' }));
    const { id } = await gameOf('gate');
    const inside = await system.db.connect();
    try {
      for (const { price, moved } of [
        { price: { over_odds: '-115' }, moved: { over_odds: '-115', spread_line: '4' } },
        { price: { spread_line: '4', over_odds: '-120' }, moved: { spread_line: '4', gametime: '14:00' } },
      ]) {
        await inside.query('BEGIN');
        await inside.query('SELECT parley_gate_enter($1)', [id]);
        await importFile(seasonFile({ game_id: 'gate', ...price }));
        let done = false;
        const importing = importFile(seasonFile({ game_id: 'gate', ...moved })).then(() => (done = true));
        await new Promise((resolve) => setTimeout(resolve, 150));
        expect(done).toBe(false);
        await inside.query('COMMIT');
        await importing;
      }
    } finally {
      inside.release();
    }
  });
});

describe('importing results', () => {
  const SCORE = { home_score: '30', away_score: '20', overtime: '0' };

  it('takes the score of a game that has started, and of no other', async () => {
    const file = seasonFile(
      { game_id: 'played', gametime: '13:00', ...SCORE },
      { game_id: 'later', gametime: '20:20', ...SCORE },
    );
    expect(await importFile(file)).toMatchObject({ games: 2, results: 0 });
    await system.moveTo(SUNDAY_AFTERNOON);
    expect(await importFile(file)).toMatchObject({ results: 1, issues: [] });
    expect(await gameOf('played')).toMatchObject({ status: 'final', homeScore: 30, awayScore: 20 });
    expect(await gameOf('later')).toMatchObject({ status: 'scheduled', homeScore: null });
    expect(marketOf(await gameOf('played'), 'total').status).toBe('closed');
    await new Deliveries(system).all();
    expect(marketOf(await gameOf('played'), 'total').status).toBe('settled');
  });

  it('corrects nothing by itself: a score that contradicts what is recorded is reported', async () => {
    const names = ['other score', 'cancelled', 'put off', 'fine'];
    await importFile(seasonFile(...names.map((game_id) => ({ game_id }))));
    const [other, cancelled, putOff] = [
      await gameOf(names[0]!),
      await gameOf(names[1]!),
      await gameOf(names[2]!),
    ];
    const results = system.app.get(ResultsService);
    await results.report(null, putOff.id, {
      status: 'postponed',
      startsAt: new Date('2023-10-09T01:00:00Z'),
    });
    await results.report(null, cancelled.id, { status: 'cancelled' });
    await system.moveTo('2023-10-08T20:30:00Z');
    await results.report(null, other.id, { status: 'final', homeScore: 3, awayScore: 0 });
    const report = await importFile(seasonFile(...names.map((game_id) => ({ game_id, ...SCORE }))));
    expect(report.results).toBe(1);
    expect(report.issues.map(({ line, value }) => [line, value])).toEqual([
      [2, '30:20'],
      [3, '30:20'],
      [4, '30:20'],
    ]);
    expect(report.issues.map(({ problem }) => /\((\w+)\)/.exec(problem)?.[1])).toEqual([
      'CORRECTION_NEEDS_REASON',
      'CORRECTION_NEEDS_REASON',
      'GAME_NOT_STARTED',
    ]);
    expect(await gameOf('other score')).toMatchObject({ status: 'final', homeScore: 3 });
    expect(await gameOf('cancelled')).toMatchObject({ status: 'cancelled', homeScore: null });
    expect(await gameOf('put off')).toMatchObject({
      status: 'scheduled',
      startsAt: '2023-10-09T01:00:00.000Z',
    });
    expect(await gameOf('fine')).toMatchObject({ status: 'final', homeScore: 30 });
  });

  it('gives a game that comes with its result an end as well, but not before the result can be recorded', async () => {
    await system.moveTo('2023-11-01T12:00:00Z');
    await importFile(seasonFile({ game_id: 'long over', ...SCORE }));
    const { id, status } = await gameOf('long over');
    expect(status).toBe('final');
    const deadlines = await deadlinesOf(id);
    expect(deadlines['game-lock']).toBe('2023-10-08T17:00:00.000Z');
    const wait = Date.parse(deadlines['game-overdue']!) - Date.parse('2023-11-01T12:00:00Z');
    expect(wait).toBeGreaterThanOrEqual(3_600_000);
    expect(wait).toBeLessThan(3_700_000);
    await system.moveTo('2023-11-01T14:00:00Z');
    const results = system.app.get(ResultsService);
    await results.lockAtStart(id);
    await results.giveUp(id);
    expect(await gameOf('long over')).toMatchObject({ status: 'final', homeScore: 30, awayScore: 20 });
  });

  it('gives a game that has begun without a result its time to be given up', async () => {
    await system.moveTo('2023-10-08T18:00:00Z');
    await importFile(seasonFile({ game_id: 'begun' }));
    const { id, markets } = await gameOf('begun');
    expect(new Set(markets.map((market) => market.status))).toEqual(new Set(['closed']));
    expect(await deadlinesOf(id)).toEqual({
      'game-lock': '2023-10-08T17:00:00.000Z',
      'game-overdue': '2023-10-09T23:00:00.000Z',
    });
  });
});
