import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { WeeksService } from '../../src/modules/pools/weeks.service.js';
import { WeekSettlementService } from '../../src/modules/settlement/week-settlement.service.js';
import type { ResultsService } from '../../src/modules/sports/results.service.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { type Builders, type TestGame, unbalanced } from '../support/builders.js';
import type { Client } from '../support/client.js';
import type { Deliveries } from '../support/deliveries.js';
import { FEED, final, startPlayedWeek, WEEK } from '../support/played-week.js';
import type { System } from '../support/system.js';

const SUNDAY = '2023-10-08T12:00:00Z';
const KICK_OFF = '2023-10-08T17:00:00Z';
/** The week ends at 04:00. */
const OVER = '2023-10-09T04:10:00Z';

let system: System;
let make: Builders;
let deliveries: Deliveries;
let results: ResultsService;
let settling: WeekSettlementService;
let admin: Client;
let player: Client;
let game: TestGame;

beforeEach(async () => {
  ({ system, make, deliveries, results, admin } = await startPlayedWeek({}, SUNDAY));
  settling = system.app.get(WeekSettlementService);
  player = await make.member(WEEK);
  game = await make.game({ startsAt: KICK_OFF });
  const { id: marketId, odds } = game.moneyline;
  const placed = await player.bet({ marketId, outcome: 'home', stake: 100, oddsId: odds['home'] });
  expect(placed.status).toBe(201);
});
afterEach(async () => {
  expect(await unbalanced(system)).toEqual([]);
  await system.stop();
});

const week = async () =>
  (await system.db.query('SELECT status FROM weeks WHERE id = $1', [WEEK])).rows[0].status as string;
const bet = async () => (await system.db.query('SELECT status FROM bets')).rows[0].status as string;

async function closeWeek(): Promise<void> {
  await system.moveTo(OVER);
  await system.app.get(WeeksService).close(WEEK);
  expect(await week()).toBe('closed');
}

const NOT_CONFIRMED = { code: 'WEEK_HAS_OPEN_GAMES', details: { games: 1 } };
const NOT_BEGUN = { code: 'WEEK_HAS_OPEN_BETS', details: { bets: 0, settlements: 1 } };

async function staysClosed(why: object): Promise<void> {
  await settling.settleIfReady(WEEK);
  expect(await week()).toBe('closed');
  await expect(settling.settleNow(WEEK, admin.userId)).rejects.toMatchObject(why);
}

describe('a week is not settled', () => {
  it('on a result that has been replaced, until the present one is settled', async () => {
    await system.moveTo('2023-10-08T20:30:00Z');
    await results.report(null, game.id, final(20, 10));
    await deliveries.all();
    expect(await bet()).toBe('won');
    await closeWeek();
    await results.report(admin.userId, game.id, final(10, 20, 'late call'));
    await staysClosed(NOT_BEGUN);
    await deliveries.all();
    expect([await bet(), await week()]).toEqual(['lost', 'settled']);
  });

  it('while the result of a game that had moved to the next week is being corrected', async () => {
    await results.report(null, game.id, { status: 'postponed', startsAt: new Date('2023-10-09T04:05:00Z') });
    await system.moveTo('2023-10-09T04:06:00Z');
    await results.report(null, game.id, final(20, 10));
    await deliveries.all(); // the week is not closed yet
    expect([await bet(), await week()]).toEqual(['won', 'grouped']);
    await closeWeek();
    await results.report(null, game.id, final(10, 20), FEED);
    await staysClosed(NOT_CONFIRMED);
    await system.moveTo('2023-10-09T04:12:00Z');
    await results.confirm(game.id);
    await staysClosed(NOT_BEGUN);
    await deliveries.all();
    expect([await bet(), await week()]).toEqual(['lost', 'settled']);
  });

  it('while a correction of a feed is being taken: it waits for it', async () => {
    await system.moveTo('2023-10-08T20:30:00Z');
    await results.report(null, game.id, final(20, 10));
    await deliveries.all();
    await closeWeek();
    let settled = false;
    let waiting: Promise<void> | undefined;
    await system.app.get(UnitOfWork).run(async (manager) => {
      await results.reportIn(manager, null, game.id, final(10, 20), FEED);
      waiting = settling.settleIfReady(WEEK).then(() => void (settled = true));
      await new Promise((resolve) => setTimeout(resolve, 400));
      expect(settled).toBe(false);
    });
    await waiting;
    expect(await week()).toBe('closed');
    await system.moveTo('2023-10-09T04:12:00Z');
    await results.confirm(game.id);
    await deliveries.all();
    expect([await bet(), await week()]).toEqual(['lost', 'settled']);
  });
});

it('is settled once, or the correction is taken, whichever of many comes first', async () => {
  await system.moveTo('2023-10-08T20:30:00Z');
  await results.report(null, game.id, final(20, 10));
  await deliveries.all();
  await closeWeek();
  const taken = await Promise.allSettled([
    ...Array.from({ length: 25 }, async () => settling.settleIfReady(WEEK)),
    ...Array.from({ length: 25 }, async () => results.report(null, game.id, final(10, 20), FEED)),
  ]);
  const refusals = taken.filter(({ status }) => status === 'rejected');
  const { rows } = await system.db.query('SELECT confirm_due_at IS NOT NULL AS waits FROM games');
  expect([await week(), rows[0].waits, refusals.length]).toEqual(
    rows[0].waits ? ['closed', true, 0] : ['settled', false, 25],
  );
});

it('is not held up by a game without bets that has moved out of it after a market of it was voided', async () => {
  const other = await make.game({ startsAt: KICK_OFF });
  await admin.post(`admin/markets/${other.total.id}/void`, { reason: 'odd' });
  await deliveries.all();
  await results.report(null, other.id, { status: 'postponed', startsAt: new Date('2023-10-09T04:30:00Z') });
  await system.moveTo('2023-10-08T20:30:00Z');
  await results.report(null, game.id, final(20, 10));
  await deliveries.all();
  await closeWeek();
  await settling.settleIfReady(WEEK);
  expect(await week()).toBe('settled');
});
