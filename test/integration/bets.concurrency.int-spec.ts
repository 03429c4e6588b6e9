import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ComplianceService } from '../../src/modules/compliance/compliance.service.js';
import { ResultsService } from '../../src/modules/sports/results.service.js';
import { WeeksService } from '../../src/modules/pools/weeks.service.js';
import { Builders, unbalanced } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { startSystem, type System } from '../support/system.js';

const WEEK = 202340;

describe('placing bets, all at once', () => {
  let system: System;
  let make: Builders;
  let players: Client[];

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
    make = new Builders(system);
    await make.week(WEEK, { group: false });
    players = await make.players(120, { pass: WEEK });
    await make.week(WEEK);
  });
  afterAll(async () => system.stop());

  it('takes one of 500 bets of a whole balance and refuses 499', async () => {
    const game = await make.game({ startsAt: '2023-10-08T17:00:00Z' });
    const player = players[0]!;
    const body = {
      marketId: game.moneyline.id,
      outcome: 'home',
      stake: 1000,
      oddsId: game.moneyline.odds['home'],
    };
    const answers = await Promise.all(Array.from({ length: 500 }, () => player.bet(body)));
    const codes = Object.groupBy(answers, ({ status, error }) => (status === 201 ? 'ok' : error.code));
    expect(Object.fromEntries(Object.entries(codes).map(([code, list]) => [code, list?.length]))).toEqual({
      ok: 1,
      INSUFFICIENT_CREDITS: 499,
    });
    const { rows } = await system.db.query(
      `SELECT m.balance, (SELECT count(*) FROM bets b WHERE b.user_id = m.user_id) AS bets FROM pool_members m WHERE user_id = $1`,
      [player.userId],
    );
    expect(rows).toEqual([{ balance: '0', bets: '1' }]);
  });

  it('answers 50 duplicates of one key with one bet and 50 equal answers', async () => {
    const game = await make.game({ startsAt: '2023-10-08T17:00:00Z' });
    const player = players[1]!;
    const body = { marketId: game.total.id, outcome: 'over', stake: 30, oddsId: game.total.odds['over'] };
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 50 }, () => player.bet(body, key)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ body: answer }) => JSON.stringify(answer))).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('idempotent-replayed') === 'true')).toHaveLength(49);
    const { rows } = await system.db.query('SELECT count(*)::int AS bets FROM bets WHERE user_id = $1', [
      player.userId,
    ]);
    expect(rows).toEqual([{ bets: 1 }]);
    const reused = await player.bet({ ...body, stake: 31 }, key);
    expect([reused.status, reused.error.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
  });

  it('replays an answer after the market has closed, and when no credits are left', async () => {
    const game = await make.game({ startsAt: '2023-10-08T17:00:00Z' });
    const player = players[2]!;
    const body = { marketId: game.total.id, outcome: 'over', stake: 1000, oddsId: game.total.odds['over'] };
    const key = randomUUID();
    const first = await player.bet(body, key);
    await system.db.query("UPDATE markets SET status = 'suspended' WHERE id = $1", [game.total.id]);
    const again = await player.bet(body, key);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
  });

  /** Every bet that was accepted was committed before `barrier` had; those after it are all refused. */
  async function race(
    bettors: Client[],
    game: Awaited<ReturnType<Builders['game']>>,
    barrier: () => Promise<unknown>,
  ) {
    let shut = false;
    let acceptedAfter = 0;
    const codes = new Set<string>();
    const body = { marketId: game.spread.id, outcome: 'home', stake: 1, oddsId: game.spread.odds['home'] };
    const loops = bettors.map(async (bettor) => {
      for (let n = 0; n < 12; n += 1) {
        const sentAfter = shut;
        const answer = await bettor.bet(body);
        if (answer.status === 201 && sentAfter) acceptedAfter += 1;
        if (answer.status !== 201) codes.add(answer.error.code);
      }
    });
    await new Promise((resolve) => setTimeout(resolve, 60));
    await barrier();
    const { rows } = await system.db.query('SELECT count(*)::int AS n FROM bets WHERE game_id = $1', [
      game.id,
    ]);
    shut = true;
    await Promise.all(loops);
    const { rows: later } = await system.db.query('SELECT count(*)::int AS n FROM bets WHERE game_id = $1', [
      game.id,
    ]);
    expect(acceptedAfter).toBe(0);
    return { atBarrier: rows[0].n as number, atEnd: later[0].n as number, codes };
  }

  it('accepts no bet once a suspension is committed, not even one in flight', async () => {
    const game = await make.game({ startsAt: '2023-10-08T17:00:00Z' });
    const admin = await make.admin();
    const outcome = await race(players.slice(10, 40), game, async () => {
      const answer = await admin.post(`admin/markets/${game.spread.id}/suspend`, { reason: 'test' });
      expect(answer.status).toBe(200);
    });
    expect(outcome.atEnd).toBe(outcome.atBarrier);
    expect(outcome.codes).toEqual(new Set(['MARKET_NOT_OPEN']));
  });

  it('accepts no bet once the start is committed', async () => {
    const game = await make.game({ startsAt: '2023-10-08T17:00:00Z' });
    const results = system.app.get(ResultsService);
    const outcome = await race(players.slice(10, 40), game, async () => {
      await system.db.query('UPDATE games SET starts_at = $2 WHERE id = $1', [game.id, system.now()]);
      await results.lockAtStart(game.id);
    });
    expect(outcome.atEnd).toBe(outcome.atBarrier);
    expect(outcome.codes).toEqual(new Set(['GAME_STARTED']));
  });

  it('accepts no bet of a user once their exclusion is committed', async () => {
    const game = await make.game({ startsAt: '2023-10-08T17:00:00Z' });
    const player = players[3]!;
    const outcome = await race(
      Array.from({ length: 20 }, () => player),
      game,
      async () => {
        await system.app.get(ComplianceService).exclude(player.userId, null);
      },
    );
    expect(outcome.atEnd).toBe(outcome.atBarrier);
    expect(outcome.codes).toEqual(new Set(['SELF_EXCLUDED']));
  });

  it('accepts no bet once the week is closed', async () => {
    const game = await make.game({ startsAt: '2023-10-08T17:00:00Z' });
    const outcome = await race(players.slice(40, 70), game, async () => {
      await system.db.query('UPDATE weeks SET ends_at = $2 WHERE id = $1', [WEEK, system.now()]);
      await system.app.get(WeeksService).close(WEEK);
    });
    expect(outcome.atEnd).toBe(outcome.atBarrier);
    expect([...outcome.codes].every((code) => ['WEEK_NOT_PLAYING', 'GAME_NOT_IN_WEEK'].includes(code))).toBe(
      true,
    );
  });

  it('kept every credit', async () => {
    expect(await unbalanced(system)).toEqual([]);
  });
});
