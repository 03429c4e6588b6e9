import { beforeEach, describe, expect, it } from '@jest/globals';
import { SettlementRepository } from '../../src/modules/settlement/settlement.repository.js';
import { WeeksService } from '../../src/modules/pools/weeks.service.js';
import { MarketsService } from '../../src/modules/sports/markets.service.js';
import { ResultsService } from '../../src/modules/sports/results.service.js';
import { DomainError } from '../../src/platform/http/domain-error.js';
import { Builders, type TestGame } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { Deliveries } from '../support/deliveries.js';
import { addProp, addThreeWay } from '../support/more-markets.js';
import { AFTER, BEFORE, FEED, final, playsWeek, START, WEEK } from '../support/played-week.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import { eventually, startSystem, type System } from '../support/system.js';
import { aSubject } from '../support/subjects.js';

let system: System;
let make: Builders;
let deliveries: Deliveries;
let results: ResultsService;
let admin: Client;
let player: Client;
let game: TestGame;

playsWeek({}, (week) => {
  ({ system, make, deliveries, results, admin, player } = week);
});
beforeEach(async () => {
  game = await make.game({ startsAt: START });
  await stakeOn('moneyline', 'home');
});

const later = (seconds: number) => new Date(Date.parse(AFTER) + seconds * 1000).toISOString();

async function stakeOn(kind: 'moneyline' | 'spread' | 'total', outcome: string, stake = 100) {
  const { id: marketId, odds } = game[kind];
  const answer = await player.bet({ marketId, outcome, stake, oddsId: odds[outcome] });
  expect(answer.status).toBe(201);
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'done';
  } catch (error) {
    if (error instanceof DomainError) return error.code;
    throw error;
  }
}

async function row() {
  const { rows } = await system.db.query(
    `SELECT status, home_score, away_score, result_version AS version, confirmed_at IS NOT NULL AS confirmed,
            (round(extract(epoch FROM confirm_due_at - $2::timestamptz) / 10) * 10)::int AS due, told_by_person AS person
     FROM games WHERE id = $1`,
    [game.id, AFTER],
  );
  return rows[0];
}

const bets = async () =>
  (
    await system.db.query('SELECT status, payout::int, reason FROM bets WHERE user_id = $1 ORDER BY id', [
      player.userId,
    ])
  ).rows.map(({ status, payout, reason }) =>
    [status, payout, reason].filter((told) => told !== null).join(' '),
  );

const settlements = async () =>
  (
    await system.db.query(
      'SELECT result_version, kind FROM settlements WHERE game_id = $1 ORDER BY result_version',
      [game.id],
    )
  ).rows.map((told) => `${told.result_version} ${told.kind}`);

describe("a feed's result", () => {
  it('shuts betting at once, and is graded when nobody has said otherwise for a minute', async () => {
    await system.moveTo(AFTER);
    await results.report(null, game.id, final(20, 10), FEED);
    expect(await row()).toMatchObject({
      status: 'final',
      version: 0,
      confirmed: false,
      due: 60,
    });
    expect(
      (await system.db.query('SELECT DISTINCT status FROM markets WHERE game_id = $1', [game.id])).rows,
    ).toEqual([{ status: 'closed' }]);
    await deliveries.all();
    await system.moveTo(later(50));
    await results.confirm(game.id);
    await deliveries.all();
    expect(await bets()).toEqual(['placed']);
    expect(await settlements()).toEqual([]);

    await system.moveTo(later(65));
    await Promise.all([results.confirm(game.id), results.confirm(game.id)]);
    expect(await row()).toMatchObject({ version: 1, confirmed: true, due: null });
    await deliveries.all();
    expect(await bets()).toEqual(['won 190']);
    expect(await settlements()).toEqual(['1 settle']);
    await results.confirm(game.id);
    expect(await deliveries.waiting()).toEqual([]);
  });

  it('is replaced by another word of the feed meanwhile, which waits as long again', async () => {
    await system.moveTo(AFTER);
    await results.report(null, game.id, final(20, 10), FEED);
    await system.moveTo(later(40));
    await results.report(null, game.id, final(10, 20), FEED);
    await results.report(null, game.id, final(10, 20), FEED);
    expect(await row()).toMatchObject({ home_score: 10, version: 0, due: 100 });
    await system.moveTo(later(66));
    await results.confirm(game.id); // the deadline of the word before
    expect(await row()).toMatchObject({ confirmed: false });
    await system.moveTo(later(106));
    await results.confirm(game.id);
    await deliveries.all();
    expect(await bets()).toEqual(['lost 0']);
    expect(await settlements()).toEqual(['1 settle']);
  });

  it('may be corrected by it, which keeps what was graded until that is confirmed', async () => {
    await system.moveTo(AFTER);
    await results.report(null, game.id, final(20, 10), FEED);
    await system.moveTo(later(65));
    await results.confirm(game.id);
    await deliveries.all();
    await system.moveTo(later(200));
    await results.report(null, game.id, final(10, 20), FEED);
    await deliveries.all();
    expect(await bets()).toEqual(['won 190']);
    expect(await row()).toMatchObject({ version: 1, confirmed: false });
    await system.moveTo(later(266));
    await results.confirm(game.id);
    await deliveries.all();
    expect(await bets()).toEqual(['lost 0']);
    expect(await settlements()).toEqual(['1 settle', '2 resettle']);
    await system.moveTo(later(300));
    await results.report(null, game.id, { status: 'cancelled' }, FEED);
    await system.moveTo(later(366));
    await results.confirm(game.id);
    await deliveries.all();
    expect(await bets()).toEqual(['void 100 GAME_CANCELLED']);
    expect(await settlements()).toEqual(['1 settle', '2 resettle', '3 cancel']);
  });

  it('settles nothing when its correction comes before its settlement began', async () => {
    await system.moveTo(AFTER);
    await results.report(null, game.id, final(20, 10));
    await results.report(null, game.id, final(10, 20), FEED);
    await deliveries.all(); // the event of the first
    expect(await bets()).toEqual(['placed']);
    await system.moveTo(later(65));
    await results.confirm(game.id);
    await deliveries.all();
    expect(await bets()).toEqual(['lost 0']);
  });

  it('that waits is not taken for lost work', async () => {
    await system.moveTo(AFTER);
    await results.report(null, game.id, final(20, 10), FEED);
    await system.moveTo(later(50));
    const lost = await system.app.get(SettlementRepository).findUnstarted(new Date(later(50)));
    expect(lost.map(({ id }) => id)).not.toContain(game.id);
    expect(await settlements()).toEqual([]);
  });

  it('leaves a market that is voided meanwhile to be settled at once, and no other', async () => {
    await stakeOnTotal();
    await system.moveTo(AFTER);
    await results.report(null, game.id, final(20, 10), FEED);
    await system.app.get(MarketsService).void(aSubject(admin.userId, 'admin'), game.total.id, 'wrong');
    await deliveries.all();
    expect(await bets()).toEqual(['placed', 'void 100 MARKET_VOIDED']);
    await system.moveTo(later(65));
    await results.confirm(game.id);
    await deliveries.all();
    expect(await bets()).toEqual(['won 190', 'void 100 MARKET_VOIDED']);
    expect(await settlements()).toEqual(['1 settle', '2 settle']);
  });
  const stakeOnTotal = () => stakeOn('total', 'over');
});

describe("a person's word", () => {
  it('counts at once, and no feed undoes it', async () => {
    await system.moveTo(AFTER);
    const said = await admin.post(`admin/games/${game.id}/result`, {
      status: 'final',
      homeScore: 20,
      awayScore: 10,
    });
    expect(said.status).toBe(200);
    await deliveries.all();
    expect(await bets()).toEqual(['won 190']);
    expect(await codeOf(results.report(null, game.id, final(10, 20), FEED))).toBe('RESULT_CLOSED');
    expect(await codeOf(results.report(null, game.id, final(20, 10), FEED))).toBe('done');
    expect(await row()).toMatchObject({ home_score: 20, version: 1, confirmed: true, person: true });
    expect((await admin.post(`admin/games/${game.id}/result`, final(10, 20))).error.code).toBe(
      'CORRECTION_NEEDS_REASON',
    );
  });

  it("that is the same as a feed's confirms it", async () => {
    await system.moveTo(AFTER);
    await results.report(null, game.id, final(20, 10), FEED);
    await admin.post(`admin/games/${game.id}/result`, final(20, 10));
    await deliveries.all();
    expect(await bets()).toEqual(['won 190']);
    expect(await row()).toMatchObject({ version: 1, confirmed: true, due: null, person: true });
    await system.moveTo(later(65));
    await results.confirm(game.id);
    expect(await row()).toMatchObject({ version: 1 });
    const { rows } = await system.db.query(
      "SELECT actor_id FROM audit_log WHERE action = 'game.confirm' AND subject_id = $1",
      [game.id],
    );
    expect(rows).toEqual([{ actor_id: admin.userId }]);
  });

  it("replaces a feed's that waits, with a reason", async () => {
    await system.moveTo(AFTER);
    await results.report(null, game.id, final(20, 10), FEED);
    expect((await admin.post(`admin/games/${game.id}/result`, final(10, 20))).error.code).toBe(
      'CORRECTION_NEEDS_REASON',
    );
    await admin.post(`admin/games/${game.id}/result`, { ...final(10, 20), reason: 'seen it' });
    await system.moveTo(later(65));
    await results.confirm(game.id);
    await deliveries.all();
    expect(await bets()).toEqual(['lost 0']);
    expect(await settlements()).toEqual(['1 settle']);
  });
});

describe('once the week is settled', () => {
  it('only a person changes a result, with a reason', async () => {
    const own = await startSystemWithRules({}, { worker: false, at: BEFORE });
    try {
      const builders = new Builders(own);
      const events = new Deliveries(own);
      const word = own.app.get(ResultsService);
      await builders.week(WEEK);
      const operator = await builders.admin();
      const { id } = await builders.game({ startsAt: START });
      const week = async () =>
        (await own.db.query('SELECT status FROM weeks WHERE id = $1', [WEEK])).rows[0].status;
      await own.moveTo('2023-10-09T04:10:00Z');
      await own.app.get(WeeksService).close(WEEK);
      await word.report(null, id, final(20, 10), FEED);
      await events.all();
      // Its result waits to be confirmed.
      expect(await week()).toBe('closed');
      await own.moveTo('2023-10-09T04:12:00Z');
      await word.confirm(id);
      await events.all();
      expect(await week()).toBe('settled');

      expect(await codeOf(word.report(null, id, final(10, 20), FEED))).toBe('RESULT_CLOSED');
      const said = await operator.post(`admin/games/${id}/result`, { ...final(10, 20), reason: 'late call' });
      expect(said.status).toBe(200);
      await events.all();
      const { rows } = await own.db.query(
        'SELECT result_version AS version, kind FROM settlements ORDER BY id',
      );
      expect(rows).toEqual([
        { version: 1, kind: 'settle' },
        { version: 2, kind: 'resettle' },
      ]);
    } finally {
      await own.stop();
    }
  }, 30_000);
});

describe('what a result says', () => {
  it('decides three-way moneylines, props, dead heats and what was not reported, in SQL as in the rules', async () => {
    const threeWay = await addThreeWay(system, game.id);
    const scorers = await addProp(system, game.id, {
      key: 'first',
      prices: { a: '4.0', b: '3.0', c: '9.5' },
    });
    const medals = await addProp(system, game.id, {
      key: 'medals',
      prices: { a: '2.0', b: '2.0', c: '2.0' },
      places: 2,
    });
    const unsaid = await addProp(system, game.id, { key: 'unsaid', prices: { a: '2.0' } });
    const bet = async (marketId: string, outcome: string, oddsId: string) =>
      expect((await player.bet({ marketId, outcome, stake: 20, oddsId })).status).toBe(201);
    for (const market of [threeWay, scorers, medals, unsaid])
      for (const [outcome, oddsId] of Object.entries(market.odds)) await bet(market.id, outcome, oddsId);
    await system.moveTo(AFTER);
    const said = await admin.post(`admin/games/${game.id}/result`, {
      status: 'final',
      homeScore: 1,
      awayScore: 1,
      periods: [
        [1, 0],
        [0, 1],
      ],
      props: { first: ['a', 'x', 'y'], medals: ['a', 'b', 'c'] },
    });
    expect(said.status).toBe(200);
    await deliveries.all();
    expect((await bets()).slice(1)).toEqual([
      'lost 0',
      'won 68',
      'lost 0',
      'won 26 DEAD_HEAT', // 20 at 4.0 with three for one place
      'lost 0',
      'lost 0',
      'won 26 DEAD_HEAT', // 20 at 2.0 with three for two places
      'won 26 DEAD_HEAT',
      'won 26 DEAD_HEAT',
      'void 20 RESULT_MISSING',
    ]);
    // A correction says what was missing; what it leaves out stays.
    await admin.post(`admin/games/${game.id}/result`, {
      status: 'final',
      homeScore: 1,
      awayScore: 1,
      props: { first: ['b'], medals: ['a', 'b'], unsaid: [] },
      reason: 'photo finish',
    });
    await deliveries.all();
    expect((await bets()).slice(4)).toEqual([
      'lost 0',
      'won 60',
      'lost 0',
      'won 40',
      'won 40',
      'lost 0',
      'lost 0',
    ]);
    const { rows } = await system.db.query('SELECT periods, props FROM games WHERE id = $1', [game.id]);
    expect(rows[0].periods).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });

  it('voids everything when it is a walk-over, which needs no start', async () => {
    await admin.post(`admin/games/${game.id}/result`, { status: 'walkover', homeScore: 3, awayScore: 0 });
    await deliveries.all();
    expect(await bets()).toEqual(['void 100 GAME_WALKOVER']);
    expect((await admin.get(`games/${game.id}`)).data).toMatchObject({ status: 'walkover', homeScore: 3 });
  });

  it.each([
    [{ props: { First: ['a'] } }, 'props'],
    [{ props: { first: ['A b'] } }, 'props'],
    [{ props: { first: ['a', 'a'] } }, 'props'],
    [{ props: { first: 'a' } }, 'props'],
    [{ props: ['a'] }, 'props'],
    [{ props: null }, 'props'],
    [{ props: { first: Array.from({ length: 101 }, (_, n) => `k${n}`) } }, 'props'],
    [{ periods: [[1]] }, 'periods'],
    [{ periods: [[1, -1]] }, 'periods'],
    [{ periods: [[1, 0.5]] }, 'periods'],
    [{ periods: {} }, 'periods'],
    [{ periods: Array.from({ length: 31 }, () => [0, 0]) }, 'periods'],
  ])('is refused with %j', async (fields, field) => {
    await system.moveTo(AFTER);
    const answer = await admin.post(`admin/games/${game.id}/result`, { ...final(1, 0), ...fields });
    expect([answer.status, answer.error.code]).toEqual([400, 'VALIDATION_FAILED']);
    expect(JSON.stringify(answer.error.details)).toContain(field);
    expect(await row()).toMatchObject({ version: 0 });
  });
});

describe('a worker', () => {
  it("confirms a feed's result when its deadline comes, and grades it", async () => {
    const own = await startSystem({ at: BEFORE });
    try {
      const builders = new Builders(own);
      await builders.week(WEEK);
      const bettor = await builders.member(WEEK);
      const played = await builders.game({ startsAt: START });
      const { id: marketId, odds } = played.moneyline;
      await bettor.bet({ marketId, outcome: 'home', stake: 100, oddsId: odds['home'] });
      await own.moveTo(AFTER);
      await own.app.get(ResultsService).report(null, played.id, final(20, 10), FEED);
      await own.moveTo(later(66));
      const paid = await eventually(async () => {
        const { rows } = await own.db.query('SELECT status, payout::int FROM bets WHERE user_id = $1', [
          bettor.userId,
        ]);
        return rows[0]?.status === 'won' && rows[0].payout;
      }, 20_000);
      expect(paid).toBe(190);
    } finally {
      await own.stop();
    }
  }, 60_000);
});
