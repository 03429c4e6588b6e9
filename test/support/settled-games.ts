import { expect } from '@jest/globals';
import type { GameReport } from '../../src/modules/sports/sports.types.js';
import type { TestGame } from './builders.js';
import type { Client } from './client.js';
import type { PlayedWeek } from './played-week.js';

const OUTCOMES = [
  ['moneyline', 'home'],
  ['moneyline', 'away'],
  ['spread', 'home'],
  ['spread', 'away'],
  ['total', 'over'],
  ['total', 'under'],
] as const;

export interface SettledBet {
  status: string;
  payout: number | null;
  reason: string | null;
}

/** Stakes on games whose results are reported and settled at once, and what came of them. The player may change from test to test. */
export function settledGames(
  now: () => Pick<PlayedWeek, 'system' | 'deliveries' | 'results'> & { player: Client },
) {
  async function rows<Row>(sql: string, subject: string): Promise<Row[]> {
    return (await now().system.db.query(sql, [subject])).rows as Row[];
  }

  async function stakeOn(
    game: TestGame,
    kind: 'moneyline' | 'spread' | 'total',
    outcome: string,
    stake = 100,
    by = now().player,
  ): Promise<string> {
    const { id: marketId, odds } = game[kind];
    const answer = await by.bet({ marketId, outcome, stake, oddsId: odds[outcome] });
    expect(answer.status).toBe(201);
    return answer.data.betId as string;
  }

  const betsOn = async (game: TestGame): Promise<SettledBet[]> =>
    await rows('SELECT status, payout::int, reason FROM bets WHERE game_id = $1 ORDER BY id', game.id);

  return {
    stakeOn,
    /** A hundred on each of the six outcomes, in the order of OUTCOMES. */
    stakeOnAll: async (game: TestGame): Promise<void> => {
      for (const [kind, outcome] of OUTCOMES) await stakeOn(game, kind, outcome);
    },
    report: async (game: TestGame, what: GameReport): Promise<void> => {
      await now().results.report(null, game.id, what);
      await now().deliveries.all();
    },
    betsOn,
    statuses: async (game: TestGame) => (await betsOn(game)).map(({ status }) => status),
    member: async (client = now().player) => {
      const [found] = await rows<{ balance: number; debt: number; bets_open: number }>(
        'SELECT balance::int, debt::int, bets_open FROM pool_members WHERE user_id = $1',
        client.userId,
      );
      return found!;
    },
    marketStates: async (game: TestGame): Promise<string[]> =>
      (
        await rows<{ status: string }>('SELECT status FROM markets WHERE game_id = $1 ORDER BY kind', game.id)
      ).map(({ status }) => status),
    settlementsOf: async (game: TestGame) =>
      await rows<Record<string, unknown>>(
        `SELECT result_version, week_id, status, completed_at IS NOT NULL AS completed, chunks_total,
                (SELECT count(*)::int FROM settlement_chunks c WHERE c.settlement_id = s.id AND done_at IS NOT NULL) AS chunks_done
         FROM settlements s WHERE game_id = $1 ORDER BY result_version`,
        game.id,
      ),
  };
}
