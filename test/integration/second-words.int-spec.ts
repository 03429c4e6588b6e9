import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { type Builders, unbalanced } from '../support/builders.js';
import { AFTER, FEED, final, type PlayedWeek } from '../support/played-week.js';
import type { System } from '../support/system.js';
import { CANCELLED, hours, VoidedGame } from '../support/voided-game.js';

let scene: VoidedGame;
let system: System;
let make: Builders;
let results: PlayedWeek['results'];

beforeAll(async () => {
  scene = await VoidedGame.start();
  ({ system, make, results } = scene.week);
});
afterAll(async () => system.stop());
beforeEach(async () => scene.begin());

describe('a game that is put off until further notice when nobody waits for it any more', () => {
  it('takes two people, as any other end without action', async () => {
    await scene.stakes(6);
    await system.moveTo(hours(13));
    await results.lockAtStart(scene.game.id);
    const first = await scene.say(scene.admins[0], { status: 'postponed' });
    expect([first.status, first.data.result]).toEqual([202, { status: 'postponed' }]);
    await results.giveUp(scene.game.id);
    expect(await scene.bets()).toEqual(['placed']);
    const second = await scene.say(scene.admins[1], { status: 'postponed' });
    expect([second.status, second.data.status]).toEqual([200, 'abandoned']);
    expect(await scene.bets()).toEqual(['void GAME_ABANDONED']);
    expect(await unbalanced(system)).toEqual([]);
  });

  it('waits for its confirmation when a feed says so', async () => {
    await scene.stakes(6);
    await system.moveTo(hours(13));
    await results.lockAtStart(scene.game.id);
    await results.report(null, scene.game.id, { status: 'postponed' }, FEED);
    await results.giveUp(scene.game.id);
    await results.confirm(scene.game.id);
    expect(await scene.bets()).toEqual(['placed']);
    await system.moveTo(new Date(Date.parse(hours(13)) + 61_000).toISOString());
    await results.confirm(scene.game.id);
    expect(await scene.bets()).toEqual(['void GAME_ABANDONED']);
  });

  it('is not ended by one person who has moved its start before', async () => {
    await scene.stakes(6);
    expect((await scene.say(scene.admins[0], { status: 'postponed', startsAt: hours(11) })).status).toBe(200);
    await system.moveTo(hours(12.1));
    await results.lockAtStart(scene.game.id);
    const stands = await scene.say(scene.admins[1], { status: 'in_progress', homeScore: 21, awayScore: 0 });
    expect(stands.status).toBe(200);
    expect((await scene.say(scene.admins[0], { status: 'postponed' })).status).toBe(202);
    await results.giveUp(scene.game.id);
    expect(await scene.bets()).toEqual(['placed']);
  });
});

describe('what waits is no consent any more', () => {
  beforeEach(async () => scene.stakes(3));

  it.each([0, 2])('once a person has said how the game ended: number %i', async (who) => {
    await system.moveTo(AFTER);
    expect((await scene.say(scene.admins[0], CANCELLED)).status).toBe(202);
    expect((await scene.say(scene.admins[who]!, final(24, 17))).status).toBe(200);
    const paid = await scene.bets();
    expect(paid).not.toContain('placed');
    expect(await scene.pending()).toEqual([]);
    const second = await scene.say(scene.admins[1], CANCELLED);
    expect([second.status, second.data.requestedBy]).toEqual([202, scene.admins[1].userId]);
    expect(await scene.bets()).toEqual(paid);
  });

  it('of a market either', async () => {
    await scene.stakesOnMoneyline();
    expect((await scene.voidMarket(scene.admins[0], scene.game.moneyline)).status).toBe(202);
    await system.moveTo(AFTER);
    await results.report(null, scene.game.id, final(24, 17));
    const paid = await scene.bets();
    expect((await scene.voidMarket(scene.admins[1], scene.game.moneyline)).status).toBe(202);
    expect(await scene.bets()).toEqual(paid);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['put off', async () => results.report(null, scene.game.id, { status: 'postponed' })],
    [
      'moved',
      async () => results.report(null, scene.game.id, { status: 'postponed', startsAt: new Date(hours(2)) }),
    ],
    ['over, as a feed says', async () => results.report(null, scene.game.id, { status: 'walkover' }, FEED)],
  ])('once the game is %s', async (_, change) => {
    expect((await scene.say(scene.admins[0], { ...CANCELLED })).status).toBe(202);
    await change();
    expect(await scene.pending()).toEqual([]);
    expect((await scene.say(scene.admins[1], CANCELLED)).status).toBe(202);
  });

  it('once its source has moved its start', async () => {
    await scene.begin('2023-10-08T17:00:00Z');
    await scene.stakes(3);
    expect((await scene.say(scene.admins[0], CANCELLED)).status).toBe(202);
    await scene.movedBySource('2023-10-07T17:00:00Z');
    expect(await scene.pending()).toEqual([]);
    expect((await scene.say(scene.admins[1], CANCELLED)).status).toBe(202);
  });

  it('once the cancellation that a feed told is taken back', async () => {
    await results.report(null, scene.game.id, { status: 'cancelled' }, FEED);
    expect((await scene.say(scene.admins[0], { status: 'walkover', reason: 'no show' })).status).toBe(202);
    const unitOfWork = system.app.get(UnitOfWork);
    await unitOfWork.run(async (manager) => results.reinstateIn(manager, scene.game.id));
    expect(await scene.pending()).toEqual([]);
    expect((await scene.say(scene.admins[1], { status: 'walkover' })).status).toBe(202);
  });

  it('once a person agrees with what a feed has said, be it who asked', async () => {
    await system.moveTo(AFTER);
    await results.report(null, scene.game.id, final(24, 17), FEED);
    expect((await scene.say(scene.admins[0], CANCELLED)).status).toBe(202);
    expect((await scene.say(scene.admins[0], final(24, 17))).status).toBe(200);
    expect(await scene.pending()).toEqual([]);
    expect((await scene.say(scene.admins[1], CANCELLED)).status).toBe(202);
  });

  it('but is while the game merely goes on', async () => {
    await scene.say(scene.admins[0], CANCELLED);
    await system.moveTo(AFTER);
    await results.lockAtStart(scene.game.id);
    await scene.say(scene.admins[2], { status: 'in_progress', homeScore: 7, awayScore: 0 });
    expect((await scene.say(scene.admins[1], CANCELLED)).data.status).toBe('cancelled');
    // What was done stays written down.
    const { rows } = await system.db.query(
      'SELECT approved_by FROM market_void_requests WHERE game_id = $1',
      [scene.game.id],
    );
    expect(rows).toEqual([{ approved_by: scene.admins[1].userId }]);
  });

  it.each([
    ['no operator any more', "role = 'moderator'"],
    ['banned', "status = 'banned', ban_reason = 'staffing', long_ban = true"],
  ])('of who is %s', async (_, change) => {
    await scene.stakesOnMoneyline();
    const gone = await make.admin();
    expect((await scene.say(gone, CANCELLED)).status).toBe(202);
    expect((await scene.voidMarket(gone, scene.game.moneyline)).status).toBe(202);
    expect(await scene.pending()).toHaveLength(2);
    await system.db.query(`UPDATE users SET ${change} WHERE id = $1`, [gone.userId]);
    expect(await scene.pending()).toEqual([]);
    // The second is the first now, and needs another.
    const asked = [
      await scene.voidMarket(scene.admins[1], scene.game.moneyline),
      await scene.say(scene.admins[1], CANCELLED),
    ];
    expect(asked.map(({ status, data }) => [status, data.requestedBy])).toEqual([
      [202, scene.admins[1].userId],
      [202, scene.admins[1].userId],
    ]);
    expect((await scene.say(scene.admins[2], CANCELLED)).data.status).toBe('cancelled');
  });
});
