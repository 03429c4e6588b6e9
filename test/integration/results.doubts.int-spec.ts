import { beforeEach, describe, expect, it } from '@jest/globals';
import { FeedIntakeService } from '../../src/modules/sports/feeds/intake.service.js';
import type { ResultsService } from '../../src/modules/sports/results.service.js';
import type { Builders, TestGame } from '../support/builders.js';
import type { Client } from '../support/client.js';
import type { Deliveries } from '../support/deliveries.js';
import { AFTER, FEED, final, playsWeek, START } from '../support/played-week.js';
import { aGame } from '../support/scripted-feed.js';
import type { System } from '../support/system.js';

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
});

async function stake(): Promise<{ status: number; code: string | undefined }> {
  const { id: marketId, odds } = game.moneyline;
  const answer = await player.bet({ marketId, outcome: 'home', stake: 100, oddsId: odds['home'] });
  return { status: answer.status, code: answer.error?.code };
}

async function row() {
  const { rows } = await system.db.query(
    `SELECT status, home_score, starts_at, result_version AS version, told_by_person AS person,
            confirm_due_at IS NOT NULL AS waits FROM games WHERE id = $1`,
    [game.id],
  );
  return rows[0];
}

/** In the order moneyline, spread, total. */
async function markets(): Promise<string[]> {
  const { rows } = await system.db.query(
    'SELECT status, suspended_by FROM markets WHERE game_id = $1 ORDER BY kind',
    [game.id],
  );
  return rows.map(({ status, suspended_by: by }) => [status, by].filter((part) => part !== null).join(' '));
}

async function bets(): Promise<string[]> {
  await deliveries.all();
  const { rows } = await system.db.query('SELECT status FROM bets WHERE user_id = $1 ORDER BY id', [
    player.userId,
  ]);
  return rows.map(({ status }) => status);
}

describe('a game that was interrupted', () => {
  it('does not take bets at the price of before, however often its start is moved', async () => {
    expect((await stake()).status).toBe(201);
    await system.moveTo(AFTER);
    await results.report(null, game.id, { status: 'in_progress', homeScore: 30, awayScore: 0 }, FEED);
    for (const startsAt of ['2023-10-04T02:00:00Z', '2023-10-04T03:00:00Z']) {
      await results.report(null, game.id, { status: 'postponed', startsAt: new Date(startsAt) }, FEED);
      expect(await markets()).toEqual(['closed', 'closed', 'closed']);
      expect((await stake()).status).toBe(409);
    }
    await system.moveTo('2023-10-04T03:00:00Z');
    await results.lockAtStart(game.id);
    const startsAt = new Date('2023-10-04T04:00:00Z');
    await results.report(null, game.id, { status: 'postponed', startsAt }, FEED);
    expect(new Set(await markets())).toEqual(new Set(['closed']));
    expect(await row()).toMatchObject({ status: 'scheduled', home_score: null });
    expect(await bets()).toEqual(['placed']);
    await system.moveTo('2023-10-04T06:00:00Z');
    await results.report(null, game.id, final(30, 31));
    expect(await bets()).toEqual(['lost']);
  });

  it('does not either when only the minutes are known', async () => {
    await system.moveTo(AFTER);
    await system.db.query("UPDATE games SET status = 'in_progress', minutes_played = 12 WHERE id = $1", [
      game.id,
    ]);
    await results.report(null, game.id, { status: 'postponed' }, FEED);
    const startsAt = new Date('2023-10-04T02:00:00Z');
    await results.report(null, game.id, { status: 'postponed', startsAt }, FEED);
    expect(new Set(await markets())).toEqual(new Set(['closed']));
  });

  it('takes bets again when it had only been locked by the clock', async () => {
    await system.moveTo(START);
    await results.lockAtStart(game.id);
    const startsAt = new Date('2023-10-04T02:00:00Z');
    await results.report(null, game.id, { status: 'postponed', startsAt }, FEED);
    expect((await stake()).status).toBe(201);
  });
});

describe("a person's word that agrees with a feed's", () => {
  it('is not undone by the feed, and grades nothing anew', async () => {
    await stake();
    await system.moveTo(AFTER);
    await results.report(null, game.id, final(20, 10), FEED);
    await system.moveTo('2023-10-03T20:32:00Z');
    await results.confirm(game.id);
    expect(await bets()).toEqual(['won']);
    expect(await row()).toMatchObject({ person: false, version: 1 });
    for (let n = 0; n < 2; n += 1)
      expect((await admin.post(`admin/games/${game.id}/result`, final(20, 10))).status).toBe(200);
    expect(await row()).toMatchObject({ person: true, version: 1 });
    await expect(results.report(null, game.id, final(10, 20), FEED)).rejects.toMatchObject({
      code: 'RESULT_CLOSED',
    });
    const { rows } = await system.db.query(
      "SELECT actor_id FROM audit_log WHERE action = 'game.confirm' AND subject_id = $1 ORDER BY id",
      [game.id],
    );
    expect(rows).toEqual([{ actor_id: null }, { actor_id: admin.userId }]);
    expect(await bets()).toEqual(['won']);
  });

  it('needs no reason when it leaves out the minutes of a final', async () => {
    await system.moveTo(AFTER);
    await results.report(null, game.id, { ...final(20, 10), minutesPlayed: 60 }, FEED);
    expect((await admin.post(`admin/games/${game.id}/result`, final(20, 10))).status).toBe(200);
    expect(await row()).toMatchObject({ person: true, version: 1, waits: false });
  });
});

it('keeps the winners of props over a cancellation that was a mistake', async () => {
  await system.moveTo(AFTER);
  const props = { first: ['a'] };
  await results.report(null, game.id, { ...final(20, 10), props });
  for (const status of ['cancelled', 'walkover'] as const) {
    await results.report(null, game.id, { status, reason: 'heard so' });
    await results.report(null, game.id, { ...final(20, 10), reason: 'it was played' });
    const { rows } = await system.db.query('SELECT props FROM games WHERE id = $1', [game.id]);
    expect(rows).toEqual([{ props }]);
  }
});

describe('a feed that puts a game off for long shortly before it', () => {
  const LATE = '2023-10-05T17:00:00Z';
  let intake: FeedIntakeService;
  let source: string;
  const says = async (startsAt: string) => await intake.schedule(source, [aGame(game.id, startsAt)]);

  beforeEach(async () => {
    intake = system.app.get(FeedIntakeService);
    source = 'own';
    await system.db.query(
      `UPDATE games SET source = $2, external_id = id::text, home_team = 'H-' || id, away_team = 'A-' || id,
              source_starts_at = starts_at WHERE id = $1`,
      [game.id, source],
    );
    expect((await stake()).status).toBe(201);
    await admin.post(`admin/markets/${game.total.id}/suspend`, { reason: 'odd' });
  });

  it('voids nothing when it takes that back before it is confirmed', async () => {
    expect(await says(LATE)).toBe(1);
    expect(await row()).toMatchObject({ status: 'cancelled', version: 0, waits: true });
    expect(await bets()).toEqual(['placed']);
    expect((await stake()).status).toBe(409);

    await system.moveTo('2023-10-03T12:00:30Z');
    expect(await says(START)).toBe(1);
    expect(await row()).toMatchObject({
      status: 'scheduled',
      version: 0,
      waits: false,
      starts_at: new Date(START),
    });
    expect(await markets()).toEqual(['open', 'open', 'suspended operator']);
    expect((await stake()).status).toBe(201);
    expect(await says(START)).toBe(0);
    await system.moveTo('2023-10-03T12:02:00Z');
    await results.confirm(game.id);
    expect(await bets()).toEqual(['placed', 'placed']);
    // Putting it off once more is heard as well.
    expect(await says(LATE)).toBe(1);
    expect(await row()).toMatchObject({ status: 'cancelled', waits: true });
  });

  it('voids the bets once that is confirmed, and cannot take it back then', async () => {
    await says(LATE);
    await system.moveTo('2023-10-03T12:01:05Z');
    await results.confirm(game.id);
    expect(await bets()).toEqual(['void']);
    await says(START);
    expect(await row()).toMatchObject({ status: 'cancelled', version: 1, waits: false });
    expect(new Set(await markets())).toEqual(new Set(['settled']));
    expect(await bets()).toEqual(['void']);
  });

  it('cannot take back what a person has said since', async () => {
    await says(LATE);
    await admin.post(`admin/games/${game.id}/result`, { status: 'cancelled' });
    await says(START);
    expect(await row()).toMatchObject({ status: 'cancelled', version: 1, person: true });
    expect(await bets()).toEqual(['void']);
  });
});

describe('a game that is given up on', () => {
  async function givenUp(doubted: boolean): Promise<string[]> {
    const { id: marketId, odds } = game.total;
    await player.bet({ marketId, outcome: 'over', stake: 100, oddsId: odds['over'] });
    await system.moveTo(AFTER);
    await results.report(null, game.id, { status: 'in_progress', homeScore: 60, awayScore: 30 }, FEED);
    if (doubted)
      await system.db.query(
        `INSERT INTO feed_quarantine (id, source, kind, external_id, game_id, reason, details, first_seen_at, last_seen_at)
         VALUES (gen_random_uuid(), 'test', 'result', $1, $2, 'SCORE_BACKWARDS', '{}', parley_now(), parley_now())`,
        [game.id, game.id],
      );
    await system.moveTo('2023-10-05T12:00:00Z');
    await results.giveUp(game.id);
    return await bets();
  }

  it('lets stand what is decided', async () => {
    expect(await givenUp(false)).toEqual(['won']);
  });

  it('is void as a whole when its score is in doubt', async () => {
    expect(await givenUp(true)).toEqual(['void']);
  });
});
