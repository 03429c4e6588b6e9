import { randomUUID } from 'node:crypto';
import { v7 } from 'uuid';
import type { TestGame, TestMarket } from './builders.js';
import type { System } from './system.js';

export interface TestLeg {
  marketId: string;
  outcome: string;
  oddsId?: string;
}

/** A leg on an outcome of a market at the price that was shown. */
export function legOn(market: TestMarket, outcome: string): TestLeg {
  const oddsId = market.odds[outcome];
  return { marketId: market.id, outcome, ...(oddsId === undefined ? {} : { oddsId }) };
}

export const homeWins = ({ moneyline }: TestGame): TestLeg => legOn(moneyline, 'home');

/** Gives an outcome another price; its id. */
export async function reprice(
  system: System,
  market: TestMarket,
  outcome: string,
  price: { american: number } | { decimal: string },
): Promise<string> {
  const id = v7();
  const american = 'american' in price ? price.american : null;
  const decimal = 'decimal' in price ? price.decimal : null;
  const [num, den] =
    american === null
      ? [Math.round(Number(decimal) * 1000), 1000]
      : american > 0
        ? [100 + american, 100]
        : [100 - american, -american];
  await system.db.query(
    `WITH o AS (INSERT INTO odds (id, market_id, outcome, american, decimal, price_num, price_den)
                VALUES ($1, $2, $3, $4, $5, $6, $7))
     UPDATE market_prices SET odds_id = $1, american = $4, decimal = $5, price_num = $6, price_den = $7
     WHERE market_id = $2 AND outcome = $3`,
    [id, market.id, outcome, american, decimal, num, den],
  );
  return id;
}

/** Bets as the database has them, the newest first, each with how many legs it has. */
export async function betsOf(
  system: System,
  userId: string,
): Promise<{ id: string; status: string; stake: number; legs: number; rows: number }[]> {
  const { rows } = await system.db.query(
    `SELECT b.id::text AS id, b.status, b.stake::int AS stake, b.legs,
            (SELECT count(*)::int FROM bet_legs l WHERE l.bet_id = b.id) AS rows
     FROM bets b WHERE b.user_id = $1 ORDER BY b.id DESC`,
    [userId],
  );
  return rows as { id: string; status: string; stake: number; legs: number; rows: number }[];
}

export async function creditsOf(system: System, userId: string): Promise<Record<string, number>> {
  const { rows } = await system.db.query(
    `SELECT balance::int, staked::int, debt::int, bets_placed AS placed, bets_open AS open FROM pool_members WHERE user_id = $1`,
    [userId],
  );
  return rows[0] as Record<string, number>;
}

/** As if so much had been staked elsewhere. */
export async function spend(system: System, { userId }: { userId: string }, credits: number): Promise<void> {
  await system.db.query(
    'UPDATE pool_members SET balance = balance - $2, staked = staked + $2 WHERE user_id = $1',
    [userId, credits],
  );
}

/** Grades every bet of the week on a game's moneyline void, as a settlement does, in one chunk. How many were graded. */
export async function voidMoneyline(system: System, week: number, { moneyline }: TestGame): Promise<number> {
  const grades = Object.keys(moneyline.odds).map((outcome) => ({
    market_id: moneyline.id,
    outcome,
    status: 'void',
    reason: 'MARKET_VOIDED',
    v_num: 1,
    v_den: 1,
    w: 0,
    h_num: 1,
    h_den: 1,
  }));
  const { rows } = await system.db.query(
    `SELECT bets_grade($1, $2, ARRAY(SELECT id FROM pools WHERE week_id = $2), $3, 'infinity', $4, $5, false) AS n`,
    [randomUUID(), week, [moneyline.id], JSON.stringify(grades), system.now()],
  );
  return (rows[0] as { n: number }).n;
}
