import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SettlementService } from '../../src/modules/settlement/settlement.service.js';
import { MarketsService } from '../../src/modules/sports/markets.service.js';
import { Builders, unbalanced } from '../support/builders.js';
import { lockWaits } from '../support/crash.js';
import { aSubject } from '../support/subjects.js';
import { eventually, startSystem, type System } from '../support/system.js';

const WEEK = 202340;

describe('the order of locks', () => {
  let system: System;

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
  });
  afterAll(async () => system.stop());

  /** Waits until as many statements of this database wait for a lock. */
  const waiting = (count: number) => eventually(async () => (await lockWaits(system)) === count);

  it('lets a bet into the gate while a settlement, the one after it and a third void wait for each other', async () => {
    const make = new Builders(system);
    await make.week(WEEK, { group: false });
    const [player] = await make.players(1, { pass: WEEK });
    await make.week(WEEK);
    const game = await make.game({ startsAt: '2023-10-08T17:00:00Z' });
    const { id: marketId, odds } = game.moneyline;
    const bet = await player!.bet({ marketId, outcome: 'home', stake: 100, oddsId: odds['home'] });
    expect(bet.status).toBe(201);
    const admin = aSubject((await make.admin()).userId, 'admin');
    const markets = system.app.get(MarketsService);
    const settlements = system.app.get(SettlementService);

    await markets.void(admin, game.moneyline.id, 'first');
    await settlements.start(game.id, 1);
    const { rows } = await system.db.query<{ id: string }>('SELECT id FROM settlements');
    const bettor = await system.db.connect();
    try {
      // A bet on another market of the game: it has its member's row and has not come to the gate yet.
      await bettor.query('BEGIN');
      await bettor.query('SELECT FROM pool_members WHERE user_id = $1 FOR UPDATE', [player!.userId]);
      const graded = settlements.run(rows[0]!.id); // waits for the member
      await waiting(1);
      await markets.void(admin, game.spread.id, 'second');
      const superseding = settlements.start(game.id, 2); // has the game, waits for the chunk
      await waiting(2);
      const third = markets.void(admin, game.total.id, 'third'); // waits for the game
      await waiting(3);
      await bettor.query("SET LOCAL lock_timeout = '2s'");
      await bettor.query('SELECT parley_gate_enter($1)', [game.id]);
      await bettor.query('COMMIT');
      await Promise.all([graded, superseding, third]);
    } finally {
      bettor.release();
    }
    await settlements.start(game.id, 3);
    const { rows: bets } = await system.db.query('SELECT status, payout FROM bets');
    expect(bets).toEqual([{ status: 'void', payout: '100' }]);
    expect(await unbalanced(system)).toEqual([]);
  });
});
