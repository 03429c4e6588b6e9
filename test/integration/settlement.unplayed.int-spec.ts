import { describe, expect, it } from '@jest/globals';
import type { ResultsService } from '../../src/modules/sports/results.service.js';
import type { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import type { Deliveries } from '../support/deliveries.js';
import { AFTER, BEFORE, final, playsWeek, START } from '../support/played-week.js';
import { settledGames } from '../support/settled-games.js';
import type { System } from '../support/system.js';

let system: System;
let make: Builders;
let deliveries: Deliveries;
let results: ResultsService;
let admin: Client;
let player: Client;

playsWeek({ settlement: { chunkBets: 2 } }, (week) => {
  ({ system, make, deliveries, results, admin, player } = week);
});

const { betsOn, marketStates, member, report, settlementsOf, stakeOn, stakeOnAll, statuses } = settledGames(
  () => ({ system, deliveries, results, player }),
);

describe('a game that is not played to its end', () => {
  const VOID = (reason: string) => ({ status: 'void', payout: 100, reason });

  it('is void when cancelled, before its start or after', async () => {
    for (const now of [BEFORE, AFTER]) {
      const game = await make.game({ startsAt: START });
      await stakeOn(game, 'total', 'over');
      await stakeOn(game, 'moneyline', 'home');
      await system.moveTo(now);
      await report(game, { status: 'cancelled' });
      expect(await betsOn(game)).toEqual([VOID('GAME_CANCELLED'), VOID('GAME_CANCELLED')]);
      expect(await member()).toEqual({ balance: 1000, debt: 0, bets_open: 0 });
      await system.moveTo(BEFORE);
    }
  });

  it('counts when abandoned after 55 minutes', async () => {
    const game = await make.game({ startsAt: START, total: '45.00' });
    await stakeOnAll(game);
    await system.moveTo(AFTER);
    await report(game, { status: 'abandoned', homeScore: 20, awayScore: 10, minutesPlayed: 55 });
    expect(await statuses(game)).toEqual(['won', 'lost', 'won', 'lost', 'lost', 'won']);
  });

  it.each([
    { homeScore: 30, awayScore: 16, minutesPlayed: 54, total: '45.00', over: ['won', 'lost'] },
    { homeScore: 30, awayScore: 16, total: '45.00', over: ['won', 'lost'] },
    { homeScore: 30, awayScore: 15, minutesPlayed: 54, total: '45.00', over: ['void', 'void'] },
    { homeScore: 30, awayScore: 15, minutesPlayed: 54, total: '44.75', over: ['half_won', 'half_lost'] },
    { total: '45.00', over: ['void', 'void'] },
  ])('is void when abandoned earlier, but what was decided stands: %p', async ({ total, over, ...stand }) => {
    const game = await make.game({ startsAt: START, total });
    await stakeOnAll(game);
    await system.moveTo(AFTER);
    await report(game, { status: 'abandoned', ...stand });
    expect(await statuses(game)).toEqual(['void', 'void', 'void', 'void', ...over]);
    expect((await betsOn(game))[0]?.reason).toBe('GAME_ABANDONED');
  });

  it('needs both scores when minutes were played, so that it can be graded', async () => {
    const game = await make.game({ startsAt: START });
    await system.moveTo(AFTER);
    const answer = await admin.post(`admin/games/${game.id}/result`, {
      status: 'abandoned',
      minutesPlayed: 57,
    });
    expect([answer.status, answer.error.code]).toEqual([422, 'RESULT_INCOMPLETE']);
  });

  it('needs both scores with the minutes while it goes on, but not those told before', async () => {
    const game = await make.game({ startsAt: START });
    await stakeOnAll(game);
    await system.moveTo(AFTER);
    const path = `admin/games/${game.id}/result`;
    for (const scores of [{}, { homeScore: 20 }, { awayScore: 10 }]) {
      const answer = await admin.post(path, { status: 'in_progress', minutesPlayed: 56, ...scores });
      expect([answer.status, answer.error.code]).toEqual([422, 'RESULT_INCOMPLETE']);
    }
    await report(game, { status: 'in_progress', homeScore: 20, awayScore: 10 });
    await report(game, { status: 'in_progress', minutesPlayed: 56 });
    await system.moveTo('2023-10-04T23:00:00Z');
    await results.giveUp(game.id);
    await deliveries.all();
    expect(await statuses(game)).toEqual(['won', 'lost', 'won', 'lost', 'lost', 'won']);
  });

  it('is void when it is given up with minutes but without scores, as it may be stored', async () => {
    const game = await make.game({ startsAt: START });
    await stakeOnAll(game);
    await system.moveTo(AFTER);
    await report(game, { status: 'in_progress' });
    await system.db.query('UPDATE games SET minutes_played = 57 WHERE id = $1', [game.id]);
    await system.moveTo('2023-10-04T23:00:00Z');
    await results.giveUp(game.id);
    await deliveries.all();
    expect(new Set(await statuses(game))).toEqual(new Set(['void']));
  });

  it('keeps its bets when postponed within 12 hours of its first time, and takes bets again', async () => {
    const game = await make.game({ startsAt: START });
    await system.db.query("UPDATE markets SET status = 'suspended' WHERE id = $1", [game.moneyline.id]);
    await stakeOn(game, 'total', 'over');
    await system.moveTo(START);
    await results.lockAtStart(game.id);
    const later = new Date('2023-10-04T05:00:00Z');
    await report(game, { status: 'postponed', startsAt: later });
    // What was suspended before the start is not opened by its move.
    expect(await marketStates(game)).toEqual(['suspended', 'open', 'open']);
    await stakeOn(game, 'total', 'under');
    await system.moveTo('2023-10-04T08:30:00Z');
    await report(game, final(24, 20));
    expect(await betsOn(game)).toEqual([
      { status: 'lost', payout: 0, reason: null },
      { status: 'won', payout: 190, reason: null },
    ]);
    expect(await marketStates(game)).toEqual(['settled', 'settled', 'settled']);
  });

  it('is void at once when postponed beyond the grace', async () => {
    const game = await make.game({ startsAt: START });
    await stakeOn(game, 'total', 'over');
    await report(game, { status: 'postponed', startsAt: new Date('2023-10-04T05:00:01Z') });
    expect(await betsOn(game)).toEqual([VOID('GAME_CANCELLED')]);
  });

  it('is void at the end of the grace when postponed without a new time', async () => {
    const game = await make.game({ startsAt: START });
    await stakeOn(game, 'total', 'over');
    await report(game, { status: 'postponed' });
    await system.moveTo('2023-10-04T04:59:59Z');
    await results.giveUp(game.id);
    expect(await statuses(game)).toEqual(['placed']);
    await system.moveTo('2023-10-04T05:00:00Z');
    await results.giveUp(game.id);
    await results.giveUp(game.id);
    await deliveries.all();
    expect(await betsOn(game)).toEqual([VOID('GAME_CANCELLED')]);
    expect(await settlementsOf(game)).toHaveLength(1);
  });

  it('is void 30 hours after its start, but what was decided by then stands', async () => {
    const game = await make.game({ startsAt: START, total: '45.00' });
    await stakeOnAll(game);
    await system.moveTo(AFTER);
    await report(game, { status: 'in_progress', homeScore: 20, awayScore: 10 });
    await report(game, { status: 'in_progress', homeScore: 30, awayScore: 17 });
    await system.moveTo('2023-10-04T22:59:59Z');
    await results.giveUp(game.id);
    expect(await statuses(game)).toEqual(Array.from({ length: 6 }, () => 'placed'));
    await system.moveTo('2023-10-04T23:00:00Z');
    await results.giveUp(game.id);
    await deliveries.all();
    expect(await statuses(game)).toEqual(['void', 'void', 'void', 'void', 'won', 'lost']);
  });

  it('is void when it breaks off and is not taken up within the grace, but what was decided stands', async () => {
    const game = await make.game({ startsAt: START, total: '45.00' });
    await stakeOnAll(game);
    await system.moveTo(AFTER);
    await report(game, { status: 'in_progress', homeScore: 30, awayScore: 17 });
    await report(game, { status: 'postponed' });
    await system.moveTo('2023-10-04T05:00:00Z');
    await results.giveUp(game.id);
    await deliveries.all();
    expect(await statuses(game)).toEqual(['void', 'void', 'void', 'void', 'won', 'lost']);
  });

  it.each([
    { first: { status: 'final', homeScore: 1, awayScore: 0 }, next: { status: 'in_progress', reason: 'x' } },
    { first: { status: 'cancelled' }, next: { status: 'postponed', reason: 'x' } },
    { first: { status: 'postponed' }, next: { status: 'in_progress' } },
  ])('does not go back from $first.status to $next.status', async ({ first, next }) => {
    const game = await make.game({ startsAt: START });
    await system.moveTo(AFTER);
    const path = `admin/games/${game.id}/result`;
    expect((await admin.post(path, first)).status).toBe(200);
    const answer = await admin.post(path, next);
    expect([answer.status, answer.error.code]).toEqual([409, 'GAME_STATE_CONFLICT']);
  });

  it('is forgotten where it stood when it starts anew', async () => {
    const game = await make.game({ startsAt: START, total: '20.00' });
    await stakeOnAll(game);
    await system.moveTo(AFTER);
    await report(game, { status: 'in_progress', homeScore: 20, awayScore: 10, minutesPlayed: 20 });
    await report(game, { status: 'postponed', startsAt: new Date('2023-10-04T01:00:00Z') });
    await system.moveTo('2023-10-05T12:00:00Z');
    await results.giveUp(game.id);
    await deliveries.all();
    expect(new Set(await statuses(game))).toEqual(new Set(['void']));
  });
});

describe('a bet taken after the start', () => {
  it('is void with its reason when the start turns out to have been earlier', async () => {
    const game = await make.game({ startsAt: START });
    await stakeOn(game, 'moneyline', 'home');
    await system.moveTo('2023-10-03T16:40:00Z');
    await stakeOn(game, 'moneyline', 'home');
    await system.db.query("UPDATE games SET starts_at = '2023-10-03T16:30:00Z' WHERE id = $1", [game.id]);
    await system.moveTo(AFTER);
    await report(game, final(24, 20));
    expect(await betsOn(game)).toEqual([
      { status: 'won', payout: 190, reason: null },
      { status: 'void', payout: 100, reason: 'TAKEN_AFTER_START' },
    ]);
    await report(game, final(20, 24, 'wrong way round'));
    expect(await statuses(game)).toEqual(['lost', 'void']);
  });
});
