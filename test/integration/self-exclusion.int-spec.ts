import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { AccessTokensService } from '../../src/modules/auth/access-tokens.service.js';
import { ResultsService } from '../../src/modules/sports/results.service.js';
import { Builders, type TestGame, unbalanced } from '../support/builders.js';
import { type Answer, Client } from '../support/client.js';
import { holding, lockWaits } from '../support/crash.js';
import { eventually, startSystem, type System } from '../support/system.js';

const WEEK = 202340;
/** Tuesday. */
const START = '2023-10-03T12:00:00Z';
const THURSDAY = '2023-10-05T17:00:00Z';
const SUNDAY = '2023-10-08T17:00:00Z';
/** Six months from Tuesday, and the end of that day. */
const TERM = '2024-04-04T00:00:00.000Z';

describe('self-exclusion', () => {
  let system: System;
  let make: Builders;
  let sunday: TestGame;
  let thursday: TestGame;

  beforeAll(async () => {
    system = await startSystem({ at: START });
    make = new Builders(system);
    await make.week(WEEK, { group: false });
    await make.players(2, { pass: WEEK });
    await make.week(WEEK);
    sunday = await make.game({ startsAt: SUNDAY });
    thursday = await make.game({ startsAt: THURSDAY });
  });
  afterEach(async () => expect(await unbalanced(system)).toEqual([]));
  afterAll(async () => system.stop());

  const members = async (count: number) => make.members(count, WEEK);

  const member = async () => (await members(1))[0]!;
  /** The clock was moved, by more than an access token lives: another of the same session. */
  const movedTo = async (instant: Date | string, { userId }: Client): Promise<Client> => {
    await system.moveTo(instant);
    const { rows } = await system.db.query('SELECT id FROM sessions WHERE user_id = $1', [userId]);
    const token = await system.app.get(AccessTokensService).sign(userId, rows[0].id, 'user');
    return new Client(system.url, token, userId);
  };
  const bodyOf = (game: TestGame, stake: number, outcome = 'home') => ({
    marketId: game.moneyline.id,
    outcome,
    stake,
    oddsId: game.moneyline.odds[outcome],
  });
  const bet = async (client: Client, game: TestGame, stake: number): Promise<string> => {
    const { status, data } = await client.bet(bodyOf(game, stake));
    expect(status).toBe(201);
    return data.betId;
  };
  const exclude = async (client: Client, body: object = {}) =>
    await client.post('compliance/self-exclusion', body);
  const statusOf = async (client: Client) => (await client.get('compliance/status')).data;
  const credits = async ({ userId }: Client) =>
    (
      await system.db.query(
        'SELECT balance::int, staked::int, paid_out::int AS paid, bets_open AS open FROM pool_members WHERE user_id = $1',
        [userId],
      )
    ).rows[0];
  const rowsOf = async (client: Client, table: 'restrictions' | 'exclusion_returns') =>
    (await system.db.query(`SELECT * FROM ${table} WHERE user_id = $1`, [client.userId])).rows;
  const outcomeOf = ({ status, error }: Answer) => [status, error?.code ?? null];

  it('gives back what is staked on games that have not begun, at once, and tells what it did', async () => {
    const client = await member();
    const ids = [await bet(client, sunday, 100), await bet(client, sunday, 30)];
    const { status, data } = await exclude(client, { months: 6 });
    expect(status).toBe(201);
    expect(data).toMatchObject({ until: TERM, refundedBets: 2, refundedCredits: 130, standingBets: 0 });
    expect(data.status).toMatchObject({
      mayStake: false,
      refusal: 'SELF_EXCLUDED',
      until: TERM,
      returnFrom: TERM,
    });
    expect(data.status.may).toEqual(['read', 'withdraw', 'export', 'close_account', 'exclude']);
    expect(await credits(client)).toEqual({ balance: 1000, staked: 130, paid: 130, open: 0 });
    for (const id of ids)
      expect((await client.get(`bets/${id}`)).data).toMatchObject({
        status: 'void',
        reason: 'SELF_EXCLUDED',
      });
    expect((await client.get('bets')).data.map((one: { status: string }) => one.status)).toEqual([
      'void',
      'void',
    ]);
    const { rows } = await system.db.query('SELECT action, details FROM audit_log WHERE subject_id = $1', [
      client.userId,
    ]);
    expect(rows).toEqual([
      {
        action: 'compliance.self-exclusion',
        details: expect.objectContaining({ until: TERM, refundedBets: 2, refundedCredits: 130 }),
      },
    ]);
  });

  it('repays a debt first with what it gives back, as every payout does', async () => {
    const client = await member();
    await bet(client, sunday, 1000);
    await system.db.query(
      `UPDATE pool_members SET debt = 40, adjustments = adjustments - 40 WHERE user_id = $1`,
      [client.userId],
    );
    expect((await exclude(client)).data.refundedCredits).toBe(1000);
    expect((await credits(client)).balance).toBe(960);
    await system.db.query('UPDATE pool_members SET adjustments = 0, balance = 1000 WHERE user_id = $1', [
      client.userId,
    ]);
  });

  it('lasts 6 months when nothing is said, and never less', async () => {
    const client = await member();
    for (const body of [{ months: 5 }, { months: 0 }, { months: 6.5 }, { permanent: 'yes' }, { days: 200 }])
      expect(outcomeOf(await exclude(client, body))).toEqual([400, 'VALIDATION_FAILED']);
    expect(await rowsOf(client, 'restrictions')).toEqual([]);
    expect((await exclude(client)).data.until).toBe(TERM);
  });

  it('is made longer, never shorter, and said again it is answered again', async () => {
    const client = await member();
    await bet(client, sunday, 70);
    const [first, again] = [await exclude(client, { months: 12 }), await exclude(client, { months: 12 })];
    expect(again.data).toEqual(first.data);
    expect((await exclude(client, { months: 6 })).data).toEqual(first.data);
    const longer = (await exclude(client, { months: 24 })).data;
    expect(longer).toMatchObject({ until: '2025-10-04T00:00:00.000Z', refundedBets: 0 });
    const permanent = (await exclude(client, { permanent: true })).data;
    expect(permanent).toMatchObject({ until: null, status: { until: null, returnFrom: null } });
    expect((await exclude(client, { months: 1200 })).data).toEqual(permanent);
    expect(await rowsOf(client, 'restrictions')).toHaveLength(3);
    expect(outcomeOf(await client.post('compliance/self-exclusion/return'))).toEqual([
      409,
      'EXCLUSION_PERMANENT',
    ]);
  });

  it('said twenty times at once it is one, and refunds once', async () => {
    const client = await member();
    await bet(client, sunday, 100);
    const answers = await Promise.all(Array.from({ length: 20 }, () => exclude(client)));
    expect(new Set(answers.map(({ data }) => JSON.stringify(data))).size).toBe(1);
    expect(answers[0]!.data.refundedCredits).toBe(100);
    expect(await rowsOf(client, 'restrictions')).toHaveLength(1);
    expect((await credits(client)).balance).toBe(1000);
  });

  it('accepts nothing after its answer, of 50 bets in flight, and keeps every credit', async () => {
    const clients = await members(4);
    for (const client of clients) {
      const bets = Array.from({ length: 50 }, async (_, n) => {
        await new Promise((resolve) => setTimeout(resolve, n));
        return await client.bet(bodyOf(sunday, 1));
      });
      await new Promise((resolve) => setTimeout(resolve, 20));
      const { data } = await exclude(client);
      const count = async () =>
        (await system.db.query('SELECT status FROM bets WHERE user_id = $1', [client.userId])).rows;
      const atAnswer = await count();
      expect(atAnswer.every(({ status }) => status === 'void')).toBe(true);
      expect(data.refundedBets).toBe(atAnswer.length);
      const codes = new Set((await Promise.all(bets)).map(({ error }) => error?.code ?? 'accepted'));
      expect([...codes].every((code) => ['accepted', 'SELF_EXCLUDED'].includes(code))).toBe(true);
      expect(await count()).toEqual(atAnswer);
      expect(await credits(client)).toMatchObject({ balance: 1000, open: 0 });
    }
  });

  it('excludes many of a pool at once while they all bet and a game of theirs is graded', async () => {
    const clients = await members(25);
    const game = await make.game({ startsAt: THURSDAY });
    for (const client of clients) await bet(client, game, 10);
    const bets = clients.flatMap((client) =>
      Array.from({ length: 4 }, async () => await client.bet(bodyOf(sunday, 5))),
    );
    const results = system.app.get(ResultsService);
    const graded = results.report(null, game.id, { status: 'cancelled' });
    const answers = await Promise.all(clients.map(async (client) => await exclude(client)));
    await Promise.all([...bets, graded]);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    await eventually(async () => {
      const { rows } = await system.db.query(
        "SELECT 1 FROM bets WHERE user_id = ANY ($1) AND status = 'placed'",
        [clients.map(({ userId }) => userId)],
      );
      return rows.length === 0;
    });
    for (const client of clients) expect(await credits(client)).toMatchObject({ balance: 1000, open: 0 });
  });

  it('decides whether a game has begun when it holds the bets, not when it was asked', async () => {
    const client = await member();
    const game = await make.game({ startsAt: '2023-10-03T12:30:00Z' });
    await bet(client, game, 100);
    await bet(client, sunday, 50);
    const release = await holding(system, 'SELECT FROM pool_members WHERE user_id = $1 FOR UPDATE', [
      client.userId,
    ]);
    const answer = exclude(client);
    await eventually(async () => (await lockWaits(system, 'pools_lock_member')) === 1);
    await system.moveTo('2023-10-03T12:30:00Z');
    await release();
    expect((await answer).data).toMatchObject({ refundedBets: 1, refundedCredits: 50, standingBets: 1 });
  });

  it('leaves what has begun, which is settled and paid as usual; corrections leave what was given back', async () => {
    let client = await member();
    const begun = await bet(client, thursday, 100);
    client = await movedTo('2023-10-05T18:00:00Z', client);
    const given = await bet(client, sunday, 60);
    const { data } = await exclude(client);
    expect(data).toMatchObject({ refundedBets: 1, standingBets: 1 });
    const results = system.app.get(ResultsService);
    const stateOf = async (id: string) => (await client.get(`bets/${id}`)).data;
    await results.report(null, thursday.id, { status: 'final', homeScore: 24, awayScore: 20 });
    await eventually(async () => (await stateOf(begun)).status === 'won');
    expect((await credits(client)).balance).toBe(1000 - 100 + 190);
    client = await movedTo('2023-10-08T21:00:00Z', client);
    await results.report(null, sunday.id, { status: 'final', homeScore: 24, awayScore: 20 });
    const settled = async () =>
      (await system.db.query("SELECT 1 FROM settlements WHERE game_id = $1 AND status = 'done'", [sunday.id]))
        .rowCount;
    await eventually(async () => (await settled()) === 1);
    await results.report(null, sunday.id, { status: 'final', homeScore: 10, awayScore: 20, reason: 'test' });
    await eventually(async () => (await settled()) === 2);
    expect(await stateOf(given)).toMatchObject({ status: 'void', reason: 'SELF_EXCLUDED', payout: 60 });
    expect((await credits(client)).balance).toBe(1000 - 100 + 190);
  });

  it('ends by a return alone: after the term, when asked for, and a day later', async () => {
    let client = await member();
    const back = async () => outcomeOf(await client.post('compliance/self-exclusion/return'));
    expect(await back()).toEqual([409, 'NOT_SELF_EXCLUDED']);
    const until = (await exclude(client)).data.until;
    const ends = new Date(until);
    expect(await back()).toEqual([409, 'EXCLUSION_NOT_OVER']);
    client = await movedTo(new Date(ends.getTime() - 1000), client);
    expect(await back()).toEqual([409, 'EXCLUSION_NOT_OVER']);

    client = await movedTo(new Date(ends.getTime() + 10 * 86_400_000), client);
    expect(await statusOf(client)).toMatchObject({
      refusal: 'SELF_EXCLUDED',
      until,
      returnFrom: until,
      returnsAt: null,
    });
    const asked = await Promise.all(
      Array.from({ length: 10 }, () => client.post('compliance/self-exclusion/return')),
    );
    const returnsAt = asked[0]!.data.returnsAt;
    expect(new Set(asked.map(({ status, data }) => `${status} ${data.returnsAt}`)).size).toBe(1);
    expect(asked[0]!.status).toBe(202);
    expect(await rowsOf(client, 'exclusion_returns')).toHaveLength(1);
    expect(new Date(returnsAt).getTime() - system.now().getTime()).toBeGreaterThan(86_400_000 - 60_000);

    client = await movedTo(new Date(new Date(returnsAt).getTime() - 1000), client);
    expect(await statusOf(client)).toMatchObject({ mayStake: false, refusal: 'SELF_EXCLUDED', returnsAt });
    client = await movedTo(returnsAt, client);
    expect(await statusOf(client)).toMatchObject({ mayStake: true, refusal: null, restrictions: [] });
    expect(await back()).toEqual([409, 'NOT_SELF_EXCLUDED']);

    // Who leaves again comes back by another return only.
    await exclude(client);
    expect(await statusOf(client)).toMatchObject({ refusal: 'SELF_EXCLUDED', returnsAt: null });
    expect(await back()).toEqual([409, 'EXCLUSION_NOT_OVER']);
  });

  it('that is declared while a return waits undoes the return', async () => {
    let client = await member();
    const ends = new Date((await exclude(client)).data.until);
    client = await movedTo(new Date(ends.getTime() + 1000), client);
    expect((await client.post('compliance/self-exclusion/return')).status).toBe(202);
    await exclude(client, { months: 6 });
    client = await movedTo(new Date(ends.getTime() + 2 * 86_400_000), client);
    expect(await statusOf(client)).toMatchObject({ refusal: 'SELF_EXCLUDED', returnsAt: null });
  });

  it('keeps whoever has not returned out of the list of the draw', async () => {
    let client = (await make.players(1))[0]!;
    const ends = new Date((await exclude(client)).data.until);
    const barredAt = async (at: Date) =>
      (
        await system.db.query('SELECT 1 FROM compliance_barred($1, 18) WHERE user_id = $2', [
          at,
          client.userId,
        ])
      ).rowCount;
    expect(await barredAt(new Date(ends.getTime() + 1000))).toBe(1);
    client = await movedTo(new Date(ends.getTime() + 1000), client);
    const { returnsAt } = (await client.post('compliance/self-exclusion/return')).data;
    expect(await barredAt(system.now())).toBe(1);
    expect(await barredAt(new Date(returnsAt))).toBe(0);
  });
});
