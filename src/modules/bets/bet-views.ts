import { priceText } from '../sports/prices.service.js';
import { weekText } from '../pools/weeks.service.js';
import { slipPrice } from './domain/slip-price.js';
import type { BetRow, LegRow, PricedRow } from './bet-history.repository.js';
import type { BetDto, BetLegDto } from './dto/bets.dto.js';
import type { BetOddsDto } from './dto/place-bet.dto.js';

/** A bet as its user sees it; `legs` are those of a parlay. */
export function toBetDto(row: BetRow, legs: readonly LegRow[]): BetDto {
  return {
    id: row.id,
    week: weekText(row.week_id),
    poolId: row.pool_id,
    kind: row.legs === 1 ? 'single' : 'parlay',
    gameId: row.game_id,
    marketId: row.market_id,
    outcome: row.outcome,
    odds: oddsOf(row, legs),
    legs: row.legs === 1 ? null : legs.map(toLegDto),
    stake: Number(row.stake),
    potentialPayout: Number(row.potential_payout),
    status: row.status,
    payout: row.payout === null ? null : Number(row.payout),
    reason: row.reason,
    placedAt: row.placed_at.toISOString(),
    settledAt: row.settled_at?.toISOString() ?? null,
  };
}

/** The price of a bet: a single's own, or the product of a parlay's legs. */
export function oddsOf(row: BetRow, legs: readonly LegRow[]): BetOddsDto {
  if (isSingle(row)) return toOdds(row);
  const { num, den } = slipPrice(
    legs.map(({ price_num: n, price_den: d }) => ({ num: BigInt(n), den: BigInt(d) })),
  );
  return { oddsId: null, american: null, decimal: priceText(String(num), String(den)) };
}

export function isSingle(row: BetRow): row is BetRow & PricedRow {
  return row.legs === 1;
}

function toLegDto(leg: LegRow): BetLegDto {
  return {
    gameId: leg.game_id,
    marketId: leg.market_id,
    outcome: leg.outcome,
    odds: toOdds(leg),
    status: leg.status,
    reason: leg.reason,
  };
}

function toOdds(row: PricedRow): BetOddsDto {
  return { oddsId: row.odds_id, american: row.american, decimal: priceText(row.price_num, row.price_den) };
}
