import { Injectable } from '@nestjs/common';
import { NIL } from 'uuid';
import type { ErrorFactory } from '../../platform/http/domain-error.js';
import { floorTimes, type Fraction, fraction } from '../../platform/money/fraction.js';
import type { Subject } from '../../platform/security/subject.js';
import { nearestAmerican, priceText } from '../sports/prices.service.js';
import { complianceErrors } from '../compliance/compliance.errors.js';
import { WeeksService } from '../pools/weeks.service.js';
import { largestStake, slipPrice, stakeToWin } from './domain/slip-price.js';
import type { PlaceBetDto } from './dto/place-bet.dto.js';
import type { QuoteDto, QuotedPriceDto } from './dto/quote.dto.js';
import { PlacingService } from './placing.service.js';
import { readSlip, type Slip, type StakedSlip } from './slips.js';
import { type LookRow, SlipsRepository } from './slips.repository.js';

const barredErrors: Readonly<Record<string, ErrorFactory>> = complianceErrors;

/** Above every stake that is allowed, and exact as a number. */
const BEYOND = 10n ** 15n;

/** What a slip would be now: its price, its limits, what it would be refused for. Nothing is placed and nothing locked. */
@Injectable()
export class QuotesService {
  constructor(
    private readonly repository: SlipsRepository,
    private readonly placing: PlacingService,
    private readonly weeks: WeeksService,
  ) {}

  /** Throws VALIDATION_FAILED, and what bars the caller from betting at all. */
  async quote({ userId }: Subject, body: PlaceBetDto): Promise<QuoteDto> {
    const { legs, stake, accept } = await this.staked(readSlip(body));
    const { limits } = this.placing;
    const seen = await this.repository.look(
      { userId, weekId: this.weeks.currentId(), legs, stake, accept },
      limits,
    );
    if (!seen) throw new Error('bets_look did not answer');
    requireUnbarred(seen);
    const { minStake, maxStake, maxPayout } = limits;
    const [balance, room, paying] = [seen.balance, seen.room, seen.paying].map((limit) =>
      limit === null ? null : Number(limit),
    ) as [number | null, number | null, number | null];
    return {
      kind: legs.length === 1 ? 'single' : 'parlay',
      legs: seen.legs.map(({ gameId, marketId, outcome, odds, changed }) => ({
        gameId,
        marketId,
        outcome,
        odds,
        changed,
      })),
      changed: seen.legs.some(({ changed }) => changed),
      stake,
      ...paid(stake, seen),
      limits: {
        minStake,
        maxStake,
        maxPayout,
        marketRoom: room,
        balance,
        largestStake: largestStake(maxStake, balance ?? 0, room, paying),
      },
      refusals: seen.refusals,
    };
  }

  /**
   * The slip with its stake, in whole credits; of one that says what it is to win, at the prices that it names. Where one of them is
   * none there is no such stake: ODDS_UNKNOWN is found in its place among the refusals, with the least stake so that nothing
   * is said of that before, and a key that was used is answered as it was.
   */
  async staked({ stake, toWin, legs, accept }: Slip): Promise<StakedSlip> {
    if (stake !== null) return { legs, stake, accept };
    const prices = await this.repository.pricesOf(legs);
    const known = prices.filter((price) => price !== null);
    if (known.length < legs.length) {
      // Also where it has come up since: nothing is placed at a stake that was not asked for.
      const unpriced = legs.map((leg, index) => (prices[index] ? leg : { ...leg, oddsId: NIL }));
      return { legs: unpriced, stake: this.placing.limits.minStake, accept };
    }
    const needed = stakeToWin(BigInt(toWin ?? 0), slipPrice(known));
    return { legs, stake: Number(needed < BEYOND ? needed : BEYOND), accept };
  }
}

/** Who may not bet is not shown what a bet would be. */
function requireUnbarred({ refusals }: LookRow): void {
  for (const { code } of refusals) {
    const barred = barredErrors[code];
    if (barred) throw barred();
  }
}

function paid(stake: number, { num, den }: LookRow): Pick<QuoteDto, 'price' | 'payout' | 'profit'> {
  if (num === null || den === null) return { price: null, payout: null, profit: null };
  const price = fraction(BigInt(num), BigInt(den));
  const payout = floorTimes(price, BigInt(stake));
  // Beyond what is ever paid no figure is told: the stake is refused, and a number would not be exact.
  const figure = payout > BigInt(Number.MAX_SAFE_INTEGER) ? null : Number(payout);
  return { price: toPrice(price), payout: figure, profit: figure === null ? null : figure - stake };
}

function toPrice({ num, den }: Fraction): QuotedPriceDto {
  return {
    exact: `${num}/${den}`,
    decimal: priceText(String(num), String(den)),
    american: nearestAmerican(num, den),
  };
}
