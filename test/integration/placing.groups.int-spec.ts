import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BetsRepository, type Placement } from '../../src/modules/bets/bets.repository.js';
import { PlacingService } from '../../src/modules/bets/placing.service.js';
import { Builders, type TestMarket, unbalanced } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { holding } from '../support/crash.js';
import { startSystem, type System } from '../support/system.js';

const WEEK = 202340;
const RULES = { minStake: 1, maxStake: 1000, maxPayout: 10_000_000, minimumAge: 18 };

describe('bets placed as a group', () => {
  let system: System;
  let make: Builders;
  let players: Client[];
  let repository: BetsRepository;
  let market: TestMarket;
  let gameId: string;

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
    make = new Builders(system);
    await make.week(WEEK, { group: false });
    players = await make.players(40, { pass: WEEK });
    await make.week(WEEK);
    repository = system.app.get(BetsRepository);
    const game = await make.game({ startsAt: '2023-10-08T17:00:00Z' });
    market = game.moneyline;
    gameId = game.id;
  });
  afterAll(async () => system.stop());

  function bet(player: Client, changed: Partial<Placement> = {}): Placement {
    return {
      userId: player.userId,
      key: randomUUID(),
      bodyHash: Buffer.alloc(32),
      weekId: WEEK,
      marketId: market.id,
      outcome: 'home',
      stake: 10,
      oddsId: market.odds['home'] ?? null,
      accept: 'exact',
      ...changed,
    };
  }

  async function balances(): Promise<Map<string, number>> {
    const { rows } = await system.db.query('SELECT user_id, balance::int FROM pool_members');
    return new Map(rows.map((row) => [row.user_id as string, row.balance as number]));
  }

  it('are each taken or refused for themselves, in the order in which they were asked', async () => {
    const before = await balances();
    const asked = players.map((player, index) => {
      if (index % 4 === 1) return bet(player, { outcome: 'nobody' });
      if (index % 4 === 2) return bet(player, { oddsId: randomUUID() });
      if (index % 4 === 3) return bet(player, { stake: 5000 });
      return bet(player);
    });
    const outcomes = await repository.place(asked, RULES, false);
    expect(outcomes.map(({ refusal }) => refusal)).toEqual(
      players.map((_, index) => [null, 'OUTCOME_UNKNOWN', 'ODDS_UNKNOWN', 'STAKE_TOO_LARGE'][index % 4]),
    );
    const after = await balances();
    for (const [index, { userId }] of players.entries()) {
      expect((before.get(userId) ?? 0) - (after.get(userId) ?? 0)).toBe(index % 4 === 0 ? 10 : 0);
      expect(outcomes[index]?.answer?.['remainingCredits'] ?? null).toBe(
        index % 4 === 0 ? after.get(userId) : null,
      );
    }
    const again = await repository.place(asked, RULES, false);
    expect(again.filter(({ answer }) => answer?.['replayed'] === true)).toHaveLength(10);
    expect(await balances()).toEqual(after);
    expect(await unbalanced(system)).toEqual([]);
  });

  it('leave out the one whose row another holds, and take it once it is waited for', async () => {
    const [held, free] = [bet(players[0]!), bet(players[4]!)];
    const release = await holding(system, 'SELECT FROM pool_members WHERE user_id = $1 FOR UPDATE', [
      held.userId,
    ]);
    const outcomes = await repository.place([held, free], RULES, false);
    expect(outcomes.map(({ refusal }) => refusal)).toEqual(['BUSY', null]);
    const waiting = repository.place([held], RULES, true);
    await release();
    expect((await waiting).map(({ refusal }) => refusal)).toEqual([null]);
  });

  it.each([
    ['game', () => gameId],
    ['user', () => players[8]!.userId],
  ])('leave out the one whose %s somebody is shutting, and see what was shut', async (_, subject) => {
    const asked = bet(players[8]!);
    const release = await holding(system, 'SELECT parley_gate_shut($1)', [subject()]);
    expect((await repository.place([asked], RULES, false))[0]?.refusal).toBe('BUSY');
    await release();
    expect((await repository.place([asked], RULES, false))[0]?.refusal).toBeNull();
  });

  it('are asked for singly when one of them breaks the call for all', async () => {
    const poison = bet(players[12]!, { stake: 1e30 }); // more than a bigint holds
    const others = [players[16]!, players[20]!, players[24]!].map((player) => bet(player));
    const placing = system.app.get(PlacingService);
    const before = await balances();
    const answers = await Promise.allSettled([poison, ...others].map((each) => placing.place(each)));
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
    const after = await balances();
    expect(after.get(poison.userId)).toBe(before.get(poison.userId));
    for (const { userId } of others) expect(after.get(userId)).toBe((before.get(userId) ?? 0) - 10);
  });

  it('keep every credit when 40 players bet 20 times each, through groups, rows and gates that others hold', async () => {
    const { rows: before } = await system.db.query('SELECT count(*)::int AS bets FROM bets');
    const holders = (async () => {
      for (let round = 0; round < 10; round += 1) {
        const release = await holding(system, 'SELECT FROM pool_members WHERE user_id = $1 FOR UPDATE', [
          players[round]!.userId,
        ]);
        await new Promise((resolve) => setTimeout(resolve, 5));
        await release();
      }
    })();
    const placing = system.app.get(PlacingService);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        players.map((player) => placing.place(bet(player, { stake: 1 }))),
      ).flat(),
    );
    await holders;
    expect(new Set(answers.map(({ betId }) => betId)).size).toBe(800);
    const { rows: after } = await system.db.query('SELECT count(*)::int AS bets FROM bets');
    expect(after[0].bets - before[0].bets).toBe(800);
    expect(await unbalanced(system)).toEqual([]);
  });
});
