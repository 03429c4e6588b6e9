import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { FeedIntakeService } from '../../src/modules/sports/feeds/intake.service.js';
import { type Builders, type TestGame, unbalanced } from '../support/builders.js';
import type { Answer, Client } from '../support/client.js';
import type { Deliveries } from '../support/deliveries.js';
import { aParlay } from '../support/more-markets.js';
import {
  AFTER,
  BEFORE,
  FEED,
  final,
  type PlayedWeek,
  START,
  startPlayedWeek,
  WEEK,
} from '../support/played-week.js';
import { legOn } from '../support/slips.js';
import type { System } from '../support/system.js';

let system: System;
let make: Builders;
let deliveries: Deliveries;
let results: PlayedWeek['results'];
let admins: Client[];
let game: TestGame;
let player: Client;

beforeAll(async () => {
  const week = await startPlayedWeek({ settlement: { secondApprovalBets: 2, confirmAfterSeconds: 60 } });
  ({ system, make, deliveries, results } = week);
  admins = [week.admin];
  while (admins.length < 4) admins.push(await make.admin());
});
afterAll(async () => system.stop());
beforeEach(async () => {
  await system.moveTo(BEFORE);
  player = await make.member(WEEK);
  game = await make.game({ startsAt: START });
});

/** On each of so many of the game's markets one. */
async function stakes(count: number): Promise<void> {
  const markets = [game.moneyline, game.spread, game.total];
  for (let n = 0; n < count; n += 1) {
    const market = markets[n % 3]!;
    const leg = legOn(market, Object.keys(market.odds)[0]!);
    expect((await player.bet({ ...leg, stake: 10 })).status).toBe(201);
  }
}

const say = async (who: number, said: object, of = game): Promise<Answer> =>
  await admins[who]!.post(`admin/games/${of.id}/result`, said);
const CANCELLED = { status: 'cancelled', reason: 'The stadium is flooded' };

async function gameRow(): Promise<{ status: string; result_version: number }> {
  const { rows } = await system.db.query('SELECT status, result_version FROM games WHERE id = $1', [game.id]);
  return rows[0];
}
const bets = async (): Promise<string[]> =>
  (
    await system.db.query(
      "SELECT DISTINCT concat_ws(' ', status, reason) AS text FROM bets WHERE user_id = $1 ORDER BY 1",
      [player.userId],
    )
  ).rows.map(({ text }) => text);
const audited = async (): Promise<string[]> =>
  (
    await system.db.query('SELECT action, actor_id FROM audit_log WHERE subject_id = $1 ORDER BY id', [
      game.id,
    ])
  ).rows.map(
    ({ action, actor_id: actor }) => `${action} ${admins.findIndex(({ userId }) => userId === actor)}`,
  );
const pending = async (): Promise<Answer['data'][]> =>
  (await admins[0]!.get('admin/market-voids')).data.filter(
    ({ gameId }: { gameId: string }) => gameId === game.id,
  );

describe('a game with few bets', () => {
  it('is cancelled by one person', async () => {
    await stakes(2);
    const answer = await say(0, CANCELLED);
    expect([answer.status, answer.data.status]).toEqual([200, 'cancelled']);
    await deliveries.all();
    expect(await bets()).toEqual(['void GAME_CANCELLED']);
    expect(await audited()).toEqual(['game.result 0']);
  });
});

describe('a game with many bets on all its markets together', () => {
  beforeEach(async () => stakes(3));

  it('is cancelled by the second person who says so', async () => {
    const first = await say(0, CANCELLED);
    expect(first.status).toBe(202);
    expect(first.data).toMatchObject({
      gameId: game.id,
      marketId: null,
      result: { status: 'cancelled' },
      requestedBy: admins[0]!.userId,
      reason: CANCELLED.reason,
      bets: 3,
    });
    expect(Date.parse(first.data.expiresAt) - Date.parse(first.data.requestedAt)).toBe(86_400_000);
    expect(await gameRow()).toEqual({ status: 'scheduled', result_version: 0 });
    expect(await pending()).toEqual([first.data]);
    // Betting goes on: nothing is decided.
    await stakes(1);

    const again = await say(0, CANCELLED);
    expect([again.status, again.error.code, again.error.details.bets]).toEqual([
      409,
      'SECOND_PERSON_NEEDED',
      4,
    ]);
    await deliveries.all();
    expect(await bets()).toEqual(['placed']);

    const second = await say(1, { status: 'cancelled' });
    expect([second.status, second.data.status]).toEqual([200, 'cancelled']);
    expect(await pending()).toEqual([]);
    expect(await audited()).toEqual(['game.void-request 0', 'game.result 1']);
    await deliveries.all();
    expect(await bets()).toEqual(['void GAME_CANCELLED']);
    expect(await unbalanced(system)).toEqual([]);
    // Said a third time it is known.
    expect((await say(2, CANCELLED)).status).toBe(200);
    expect((await gameRow()).result_version).toBe(1);
  });

  it('is given up, awarded or put off beyond its grace by two people as well', async () => {
    await system.moveTo(AFTER);
    const words: object[] = [
      { status: 'walkover', homeScore: 3, awayScore: 0 },
      { status: 'abandoned', homeScore: 7, awayScore: 3, minutesPlayed: 54 },
      { status: 'abandoned' },
      { status: 'postponed', startsAt: '2023-10-20T17:00:00.000Z' },
    ];
    for (const word of words) {
      const { status, data } = await say(0, word);
      expect([status, data.result]).toEqual([202, word]);
      expect(await pending()).toEqual([data]); // in place of the word before
    }
    expect((await gameRow()).result_version).toBe(0);
    expect((await say(1, words[3]!)).data.status).toBe('cancelled');
    await deliveries.all();
    expect(await bets()).toEqual(['void GAME_CANCELLED']);
  });

  it.each([
    ['its final score', final(24, 17)],
    [
      'that it was given up when it counted',
      { status: 'abandoned', homeScore: 7, awayScore: 3, minutesPlayed: 55 },
    ],
    ['how it stands', { status: 'in_progress', homeScore: 7, awayScore: 3 }],
    ['a new start', { status: 'postponed', startsAt: '2023-10-03T23:00:00.000Z' }],
  ])('is told by one person %s', async (_, word) => {
    await system.moveTo(AFTER);
    expect((await say(0, word)).status).toBe(200);
    expect(await pending()).toEqual([]);
  });

  it('is not cancelled by two who do not say the same', async () => {
    await system.moveTo(AFTER);
    const abandoned = { status: 'abandoned', homeScore: 7, awayScore: 3, minutesPlayed: 20 };
    expect((await say(0, CANCELLED)).status).toBe(202);
    expect((await say(1, { status: 'walkover' })).status).toBe(202);
    expect((await say(0, CANCELLED)).status).toBe(202);
    expect((await say(1, abandoned)).status).toBe(202);
    expect((await say(2, { ...abandoned, homeScore: 10 })).status).toBe(202);
    expect(await gameRow()).toMatchObject({ status: 'scheduled', result_version: 0 });
    expect(await pending()).toHaveLength(1);
    // The same, in another order and with another reason.
    const { minutesPlayed, ...rest } = abandoned;
    const second = await say(3, { minutesPlayed, reason: 'I was there', ...rest, homeScore: 10 });
    expect([second.status, second.data.status]).toEqual([200, 'abandoned']);
  });

  it('is refused to the first person for what would be refused to the second', async () => {
    const early = await say(0, { status: 'abandoned', homeScore: 0, awayScore: 0, minutesPlayed: 10 });
    expect([early.status, early.error.code]).toEqual([422, 'GAME_NOT_STARTED']);
    await system.moveTo(AFTER);
    await say(0, final(24, 17));
    const silent = await say(0, { status: 'cancelled' });
    expect([silent.status, silent.error.code]).toEqual([422, 'CORRECTION_NEEDS_REASON']);
    expect(await pending()).toEqual([]);
  });

  it('forgets after a day who asked', async () => {
    await say(0, CANCELLED);
    await system.moveTo('2023-10-04T12:00:10Z');
    expect(await pending()).toEqual([]);
    const second = await say(1, CANCELLED);
    expect([second.status, second.data.requestedBy]).toEqual([202, admins[1]!.userId]);
    expect((await say(0, CANCELLED)).status).toBe(200);
  });

  it('that is settled is cancelled by two people, with all that this takes back, and played again by one', async () => {
    await system.moveTo(AFTER);
    await say(0, final(24, 17));
    await deliveries.all();
    const paid = await bets();
    expect(paid).toContain('won');
    expect((await say(0, CANCELLED)).status).toBe(202);
    await deliveries.all();
    expect(await bets()).toEqual(paid);
    expect((await say(1, CANCELLED)).status).toBe(200);
    await deliveries.all();
    expect(await bets()).toEqual(['void GAME_CANCELLED']);
    expect((await say(2, { ...final(24, 17), reason: 'it was played' })).status).toBe(200);
    await deliveries.all();
    expect(await bets()).toEqual(paid);
    expect(await unbalanced(system)).toEqual([]);
  });

  it('is cancelled by a feed alone, once that is confirmed', async () => {
    await results.report(null, game.id, { status: 'cancelled' }, FEED);
    await system.moveTo('2023-10-03T12:01:01Z');
    await results.confirm(game.id);
    await deliveries.all();
    expect(await bets()).toEqual(['void GAME_CANCELLED']);
    expect(await pending()).toEqual([]);
  });

  it('is voided once by one of many who say so at once', async () => {
    await say(0, CANCELLED);
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, n) => say(1 + (n % 3), { ...CANCELLED, reason: `${n}` })),
    );
    // One cancels it; the others say what is known by then.
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    const { rows } = await system.db.query(
      'SELECT requested_by <> approved_by AS two FROM market_void_requests WHERE game_id = $1',
      [game.id],
    );
    expect(rows).toEqual([{ two: true }]);
    expect(await gameRow()).toEqual({ status: 'cancelled', result_version: 1 });
    expect((await audited()).filter((action) => action.startsWith('game.result'))).toHaveLength(1);
  });

  it('is not cancelled by one person, however often they say so at once', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, async () => say(0, CANCELLED)));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    expect(answers.filter(({ error }) => error?.code === 'SECOND_PERSON_NEEDED')).toHaveLength(49);
    expect(await gameRow()).toEqual({ status: 'scheduled', result_version: 0 });
    expect(await pending()).toHaveLength(1);
  });

  it('waits beside a market of it that waits', async () => {
    for (let n = 0; n < 3; n += 1) await player.bet({ ...legOn(game.moneyline, 'home'), stake: 10 });
    const market = await admins[0]!.post(`admin/markets/${game.moneyline.id}/void`, {
      reason: 'wrong price',
    });
    expect([market.status, market.data.gameId, market.data.result]).toEqual([202, game.id, null]);
    expect((await say(0, CANCELLED)).status).toBe(202);
    expect((await pending()).map(({ marketId }) => marketId)).toEqual([game.moneyline.id, null]);
    // Neither is the other's consent.
    expect((await admins[1]!.post(`admin/markets/${game.moneyline.id}/void`, { reason: 'yes' })).status).toBe(
      200,
    );
    expect((await gameRow()).status).toBe('scheduled');
    expect(await pending()).toHaveLength(1);
    // What is void already is not counted once more.
    const left = await say(2, { status: 'walkover' });
    expect(left.status).toBe(200);
  });
});

it('counts the legs of parlays, and not what was taken back', async () => {
  const other = await make.game({ startsAt: START });
  const both = [game, other].map(({ moneyline }) => ({ market: moneyline, outcome: 'home' }));
  await aParlay(system, player.userId, 10, both);
  await aParlay(system, player.userId, 10, both);
  const third = await player.bet({ ...legOn(game.total, 'over'), stake: 10 });
  expect((await player.post(`bets/${third.data.betId}/cancel`, {})).status).toBe(200);
  await player.bet({ ...legOn(game.spread, 'home'), stake: 10 });
  expect((await say(0, CANCELLED)).data.bets).toBe(3);
  expect((await say(0, CANCELLED, other)).status).toBe(200);
});

it("takes two people who accept a feed's doubted word, and leaves it open for the second", async () => {
  await stakes(3);
  const intake = system.app.get(FeedIntakeService);
  const { rows } = await system.db.query('SELECT source, external_id FROM games WHERE id = $1', [game.id]);
  const { source, external_id: externalId } = rows[0];
  const told = { externalId, status: 'abandoned' as const, home: 7, away: 3, minutesPlayed: 20 };
  await intake.ends(source, [told]); // before its start: nobody believes it
  await system.moveTo(AFTER);
  const { data } = await admins[0]!.get('admin/feed-quarantine');
  const doubt = data.find(({ gameId }: { gameId: string }) => gameId === game.id);
  const decide = async (who: number, decision: string) =>
    await admins[who]!.post(`admin/feed-quarantine/${doubt.id}/decide`, { decision, reason: 'seen it' });

  const first = await decide(0, 'accept');
  expect([first.status, first.data.gameId, first.data.bets]).toEqual([202, game.id, 3]);
  const again = await decide(0, 'accept');
  expect([again.status, again.error.code]).toEqual([409, 'SECOND_PERSON_NEEDED']);
  expect((await gameRow()).status).toBe('scheduled');
  const open = await admins[0]!.get('admin/feed-quarantine');
  expect(open.data.find(({ id }: { id: string }) => id === doubt.id)).toEqual(doubt);

  const answers = await Promise.all(Array.from({ length: 20 }, async () => decide(1, 'accept')));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(answers.filter(({ error }) => error?.code === 'FEED_DOUBT_ALREADY_DECIDED')).toHaveLength(19);
  expect(await gameRow()).toEqual({ status: 'abandoned', result_version: 1 });
  await deliveries.all();
  expect(await unbalanced(system)).toEqual([]);
});

it('keeps what was said, and is of a market or of a whole game', async () => {
  await stakes(3);
  await say(3, CANCELLED);
  const { rows } = await system.db.query(
    'SELECT game_id, market_id, report, reason FROM market_void_requests WHERE requested_by = $1',
    [admins[3]!.userId],
  );
  expect(rows).toContainEqual({
    game_id: game.id,
    market_id: null,
    report: { status: 'cancelled' },
    reason: CANCELLED.reason,
  });
  await expect(
    system.db.query(
      'INSERT INTO market_void_requests (id, game_id, requested_by, requested_at, expires_at, bets) VALUES ($1, $2, $3, now(), now(), 1)',
      [randomUUID(), game.id, admins[3]!.userId],
    ),
  ).rejects.toThrow('market_void_requests_word_check');
});
