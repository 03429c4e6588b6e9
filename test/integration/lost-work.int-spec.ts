import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DeadlinesService } from '../../src/platform/jobs/deadlines.service.js';
import { LostWorkSweeper } from '../../src/modules/settlement/lost-work.sweeper.js';
import { ResultsService } from '../../src/modules/sports/results.service.js';
import { WeeksService } from '../../src/modules/pools/weeks.service.js';
import { Builders, unbalanced } from '../support/builders.js';
import { startSystem, type System } from '../support/system.js';

const WEEK = 202340;

describe('work that has lost its jobs', () => {
  let system: System;
  let worker: System['worker'];

  beforeAll(async () => {
    system = await startSystem({ at: '2023-10-03T12:00:00Z' });
    worker = system.worker;
  });
  afterAll(async () => system.stop());

  it('is taken up from Postgres alone: the result, its chunks and the end of the week', async () => {
    const make = new Builders(system);
    await make.week(WEEK, { group: false });
    const [player] = await make.players(1, { pass: WEEK });
    await make.week(WEEK);
    const game = await make.game({ startsAt: '2023-10-08T17:00:00Z' });
    const broken = await make.game({ startsAt: '2023-10-08T17:00:00Z', spread: '-3.10' });
    const bet = await player!.bet({
      marketId: game.moneyline.id,
      outcome: 'home',
      stake: 100,
      oddsId: game.moneyline.odds['home'],
    });
    expect(bet.status).toBe(201);
    await system.moveTo('2023-10-09T04:30:00Z');
    // The events are lost: nothing but the rows in Postgres tells that there is work.
    await system.db.query(
      "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    );
    await system.db.query('CREATE TRIGGER lose BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION lose()');
    const results = system.app.get(ResultsService);
    for (const { id } of [broken, game])
      await results.report(null, id, { status: 'final', homeScore: 20, awayScore: 10 });
    await system.app.get(WeeksService).close(WEEK);
    await system.moveTo('2023-10-09T04:40:00Z');
    const sweeper = worker!.get(LostWorkSweeper);
    await sweeper.sweep(); // starts what was never started; one game's line cannot be graded, the other goes on
    await system.moveTo('2023-10-09T04:50:00Z');
    await sweeper.sweep(); // runs what stands still
    const { rows } = await system.db.query('SELECT status, payout FROM bets');
    expect(rows).toEqual([{ status: 'won', payout: '190' }]);
    await system.db.query("UPDATE games SET result_version = 0, status = 'cancelled' WHERE id = $1", [
      broken.id,
    ]);
    await sweeper.sweep();
    const { rows: weeks } = await system.db.query('SELECT status FROM weeks WHERE id = $1', [WEEK]);
    expect(weeks).toEqual([{ status: 'settled' }]);
    expect(await unbalanced(system)).toEqual([]);
  });

  it('does not call a deadline done when the clock of the process is behind', async () => {
    const deadlines = system.app.get(DeadlinesService);
    const job = {
      eventId: 'x',
      topic: 'deadline.week-close',
      payload: { subject: '202399', dueAt: new Date(system.now().getTime() + 300).toISOString() },
      requestId: null,
    };
    let asked = 0;
    const work = async () => {
      asked += 1;
    };
    await expect(deadlines.perform(job, work)).rejects.toThrow('is behind');
    expect(asked).toBe(0);
  });
});
