import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import type { PlacementOutcome, PlacementRules } from './bets.repository.js';
import type { Leg } from './slips.js';

/** A slip of one leg or several, as it is looked at. */
export interface LookedAt {
  userId: string;
  weekId: number;
  legs: readonly Leg[];
  stake: number;
  accept: string;
}

export interface ParlayPlacement extends LookedAt {
  key: string;
  bodyHash: Buffer;
}

interface LookedAtLeg {
  marketId: string;
  gameId: string | null;
  outcome: string;
  odds: { oddsId: string; american: number | null; decimal: string } | null;
  changed: boolean;
}

export interface LookRow {
  balance: string | null;
  num: string | null;
  den: string | null;
  room: string | null;
  paying: string | null;
  legs: LookedAtLeg[];
  refusals: { code: string; details: Record<string, unknown> }[];
}

/** Slips of several legs, looking at one, and taking one back: one round trip each (see the migration). */
@Injectable()
export class SlipsRepository {
  constructor(private readonly database: Database) {}

  /** Waits for the rows and gates that others hold. See `place_parlay`. */
  async placeParlay(parlay: ParlayPlacement, rules: PlacementRules): Promise<PlacementOutcome | null> {
    const { userId, key, bodyHash, weekId, legs, stake, accept } = parlay;
    const [outcome] = await this.database.query<PlacementOutcome & Record<string, unknown>>(
      'bets.place_parlay',
      'SELECT * FROM place_parlay($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)',
      [userId, key, bodyHash, weekId, ...columnsOf(legs), stake, accept, ...limitsOf(rules)],
    );
    return outcome ?? null;
  }

  /** Takes no lock and changes nothing. See `bets_look`. */
  async look(
    { userId, weekId, legs, stake, accept }: LookedAt,
    rules: PlacementRules,
  ): Promise<LookRow | null> {
    const [row] = await this.database.query<LookRow & Record<string, unknown>>(
      'bets.look',
      'SELECT * FROM bets_look($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)',
      [userId, weekId, ...columnsOf(legs), stake, accept, ...limitsOf(rules)],
    );
    return row ?? null;
  }

  /** The prices that the legs name, in their order; null where one is none of its outcome. Index: primary key of odds. */
  async pricesOf(legs: readonly Leg[]): Promise<({ num: bigint; den: bigint } | null)[]> {
    const rows = await this.database.query<{ price_num: string | null; price_den: string | null }>(
      'bets.named_prices',
      `SELECT o.price_num, o.price_den FROM unnest($1::uuid[], $2::text[], $3::uuid[]) WITH ORDINALITY AS l (market_id, outcome, odds_id, n)
       LEFT JOIN odds o ON o.id = l.odds_id AND o.market_id = l.market_id AND o.outcome = l.outcome ORDER BY l.n`,
      columnsOf(legs),
    );
    return rows.map(({ price_num: num, price_den: den }) =>
      num === null || den === null ? null : { num: BigInt(num), den: BigInt(den) },
    );
  }

  /** Why the bet cannot be taken back; null: it is cancelled. See `bets_cancel`. */
  async cancel(
    userId: string,
    bet: { id: string; weekId: number },
    { windowSeconds, perWeek, allowed }: { windowSeconds: number; perWeek: number; allowed: boolean },
  ): Promise<string | null> {
    const [row] = await this.database.query<{ reason: string | null }>(
      'bets.cancel',
      'SELECT bets_cancel($1, $2, $3, $4, $5, $6) AS reason',
      [userId, bet.id, bet.weekId, windowSeconds, perWeek, allowed],
    );
    return row?.reason ?? null;
  }
}

function columnsOf(legs: readonly Leg[]): [string[], string[], (string | null)[]] {
  return [
    legs.map(({ marketId }) => marketId),
    legs.map(({ outcome }) => outcome),
    legs.map(({ oddsId }) => oddsId),
  ];
}

function limitsOf({ minStake, maxStake, maxPayout, minimumAge }: PlacementRules): number[] {
  return [minStake, maxStake, maxPayout, minimumAge];
}
