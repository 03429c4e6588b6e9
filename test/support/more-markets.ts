import { v7 } from 'uuid';
import { priceFromDecimal } from '../../src/modules/sports/domain/odds.js';
import type { TestMarket } from './builders.js';
import type { System } from './system.js';

/** A three-way moneyline of a game that there is. */
export async function addThreeWay(
  system: System,
  gameId: string,
  prices: { home: string; draw: string; away: string } = { home: '2.1', draw: '3.4', away: '3.75' },
): Promise<TestMarket> {
  const id = v7();
  await system.db.query("INSERT INTO markets (id, game_id, kind) VALUES ($1, $2, 'three_way')", [id, gameId]);
  return { id, odds: await addPrices(system, id, prices) };
}

/** A prop of a game that there is, with a decimal price for each outcome. */
export async function addProp(
  system: System,
  gameId: string,
  prop: { key: string; prices: Record<string, string>; places?: number },
): Promise<TestMarket> {
  const id = v7();
  const outcomes = Object.keys(prop.prices).map((key) => ({ key, label: key.toUpperCase() }));
  await system.db.query(
    "INSERT INTO markets (id, game_id, kind, prop, title, outcomes, places) VALUES ($1, $2, 'prop', $3, $3, $4, $5)",
    [id, gameId, prop.key, JSON.stringify(outcomes), prop.places ?? 1],
  );
  return { id, odds: await addPrices(system, id, prop.prices) };
}

async function addPrices(
  system: System,
  marketId: string,
  prices: Record<string, string>,
): Promise<Record<string, string>> {
  const odds: Record<string, string> = {};
  for (const [outcome, decimal] of Object.entries(prices)) {
    const { num, den } = priceFromDecimal(decimal);
    odds[outcome] = v7();
    const row = [marketId, outcome, odds[outcome], decimal, String(num), String(den)];
    await system.db.query(
      'INSERT INTO odds (market_id, outcome, id, decimal, price_num, price_den) VALUES ($1, $2, $3, $4, $5, $6)',
      row,
    );
    await system.db.query(
      'INSERT INTO market_prices (market_id, outcome, odds_id, decimal, price_num, price_den) VALUES ($1, $2, $3, $4, $5, $6)',
      row,
    );
  }
  return odds;
}

export interface ParlayLegOn {
  market: TestMarket;
  outcome: string;
}

/** Writes a parlay at the current prices straight to the database, with what placing one does to its member. Answers its id. */
export async function aParlay(
  system: System,
  userId: string,
  stake: number,
  legs: readonly ParlayLegOn[],
  placedAt = system.now().toISOString(),
): Promise<string> {
  const {
    rows: [bet],
  } = await system.db.query(
    `WITH member AS (
       UPDATE pool_members m SET balance = balance - $2, staked = staked + $2, bets_placed = bets_placed + 1, bets_open = bets_open + 1
       FROM week_entries e WHERE e.user_id = $1 AND m.pool_id = e.pool_id AND m.user_id = $1 RETURNING m.pool_id, e.week_id),
     leg AS (
       SELECT l.number, mk.game_id, p.* FROM unnest($4::uuid[], $5::text[]) WITH ORDINALITY AS l (market_id, outcome, number)
       JOIN market_prices p USING (market_id, outcome) JOIN markets mk ON mk.id = l.market_id),
     bet AS (
       INSERT INTO bets (id, week_id, pool_id, user_id, legs, stake, potential_payout, placed_at)
       SELECT nextval('bet_id_seq'), week_id, pool_id, $1, $3,
              $2, (SELECT div($2 * product(price_num), product(price_den)) FROM leg), $6 FROM member
       RETURNING id, week_id, pool_id),
     written AS (
       INSERT INTO bet_legs (bet_id, week_id, pool_id, number, game_id, market_id, odds_id, outcome, american, price_num, price_den)
       SELECT b.id, b.week_id, b.pool_id, l.number, l.game_id, l.market_id, l.odds_id, l.outcome, l.american, l.price_num, l.price_den
       FROM bet b, leg l RETURNING 1)
     SELECT id, (SELECT count(*)::int FROM written) AS legs FROM bet`,
    [
      userId,
      stake,
      legs.length,
      legs.map(({ market }) => market.id),
      legs.map(({ outcome }) => outcome),
      placedAt,
    ],
  );
  if (bet?.legs !== legs.length) throw new Error(`a leg has no price: ${JSON.stringify(legs)}`);
  return bet.id;
}
