import { describe, expect, it } from '@jest/globals';
import type { ResultsService } from '../../src/modules/sports/results.service.js';
import { SettlementService } from '../../src/modules/settlement/settlement.service.js';
import type { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import type { Deliveries } from '../support/deliveries.js';
import { bothGradings } from '../support/fresh-grades.js';
import { joinPool } from '../support/members.js';
import { AFTER, final, playsWeek, START, WEEK } from '../support/played-week.js';
import { settledGames } from '../support/settled-games.js';
import type { System } from '../support/system.js';

let system: System;
let make: Builders;
let deliveries: Deliveries;
let results: ResultsService;
let player: Client;

playsWeek({ settlement: { chunkBets: 2 } }, (week) => {
  ({ system, make, deliveries, results, player } = week);
});

const { report, settlementsOf, stakeOn, statuses } = settledGames(() => ({
  system,
  deliveries,
  results,
  player,
}));

describe('events', () => {
  async function finished() {
    const others = await make.players(8);
    for (const [index, other] of others.entries()) await joinPool(system, WEEK, [other], 30 + (index % 4));
    const game = await make.game({ startsAt: START });
    for (const other of others) {
      await stakeOn(game, 'total', 'under', 50, other);
      await stakeOn(game, 'moneyline', 'away', 50, other);
    }
    await system.moveTo(AFTER);
    await results.report(null, game.id, final(24, 17));
    return { game, userIds: others.map(({ userId }) => userId) };
  }

  it('settle once though two workers settle the game at once and each event comes twice', async () => {
    const { game, userIds } = await finished();
    for (let left = await deliveries.waiting(); left.length > 0; left = await deliveries.waiting()) {
      await Promise.all([...left, ...left, ...left].map((delivery) => deliveries.hand(delivery)));
      await system.db.query('DELETE FROM outbox WHERE id = ANY ($1)', [left.map(({ id }) => id)]);
    }
    expect(await settlementsOf(game)).toMatchObject([{ result_version: 1, status: 'done', chunks_done: 4 }]);
    const { stored, fresh } = await bothGradings(system, userIds);
    expect(stored).toEqual(fresh);
    const { rows } = await system.db.query(
      'SELECT count(*)::int AS n FROM bet_regrades r JOIN bets b ON b.id = r.bet_id WHERE b.game_id = $1',
      [game.id],
    );
    expect(rows).toEqual([{ n: 0 }]);
  });

  it('that speak of a version that is no longer the result are passed over', async () => {
    const { game, userIds } = await finished();
    const [stale] = await deliveries.waiting();
    await results.report(null, game.id, final(10, 17, 'corrected'));
    await deliveries.hand(stale!);
    expect(await settlementsOf(game)).toEqual([]);
    await deliveries.all();
    expect(await settlementsOf(game)).toMatchObject([{ result_version: 2, status: 'done' }]);
    await deliveries.hand(stale!);
    expect(await settlementsOf(game)).toHaveLength(1);
    const { stored, fresh } = await bothGradings(system, userIds);
    expect(stored).toEqual(fresh);
  });

  it('of a settlement that a correction overtakes half way leave the rest to the new one', async () => {
    const { game, userIds } = await finished();
    await deliveries.deliver((await deliveries.waiting())[0]!);
    const settlements = system.app.get(SettlementService);
    const { rows } = await system.db.query('SELECT * FROM settlements WHERE game_id = $1', [game.id]);
    // Two of four chunks, as a worker leaves them that is killed.
    await settlements['gradeNextChunk'](rows[0].id);
    await settlements['gradeNextChunk'](rows[0].id);
    expect(new Set(await statuses(game))).toEqual(new Set(['won', 'lost', 'placed']));
    await results.report(null, game.id, final(10, 17, 'corrected'));
    await deliveries.deliver((await deliveries.waiting()).find(({ topic }) => topic.startsWith('sports.'))!);
    await deliveries.all();
    expect(await settlementsOf(game)).toMatchObject([
      { result_version: 1, status: 'superseded', chunks_done: 2 },
      { result_version: 2, status: 'done', chunks_done: 4 },
    ]);
    const { stored, fresh } = await bothGradings(system, userIds);
    expect(stored).toEqual(fresh);
  });
});

describe('a game moved over the end of the week', () => {
  it('settles its bets in the week in which they were placed, and tells both weeks', async () => {
    const game = await make.game({ startsAt: '2023-10-09T00:20:00Z' });
    await stakeOn(game, 'moneyline', 'home');
    await report(game, { status: 'postponed', startsAt: new Date('2023-10-09T12:00:00Z') });
    await system.moveTo('2023-10-09T15:30:00Z');
    await results.report(null, game.id, final(24, 17));
    await deliveries.deliver((await deliveries.waiting())[0]!);
    expect(await settlementsOf(game)).toMatchObject([{ week_id: WEEK }, { week_id: 202341 }]);
    await make.week(202341, { group: false });
    await deliveries.all();
    expect(await statuses(game)).toEqual(['won']);
  });
});
