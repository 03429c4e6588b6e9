import type { PlacedBetDto } from '../../src/modules/bets/dto/place-bet.dto.js';
import type { PaymentDto } from '../../src/modules/payments/dto/payments.dto.js';
import type { Answer, Refusal } from '../launch/http-client.js';
import { type GradedBet, type GradedLeg, isDecided } from './grades.js';
import type { Score } from '../launch/season.js';
import type { Option } from './players.js';

/** A bet as the script placed it, to be held against what the API says later. */
export interface BetRecord extends GradedBet {
  readonly userId: string;
  /** Of its market, or `parlay`. */
  readonly kind: string;
}

export interface RefusalRecord extends Pick<Refusal, 'status' | 'code' | 'message'> {
  count: number;
}

/** What the script itself knows of the week: bets that were taken, refusals, and whatever was not as it should be. */
export class Records {
  /** By bet id. */
  readonly bets = new Map<string, BetRecord>();
  /** By code. */
  readonly refusals = new Map<string, RefusalRecord>();
  /** What was paid, by the payment's id. */
  readonly payments = new Map<string, PaymentDto>();
  /** Who has bought back. */
  readonly boughtBack = new Set<string>();
  /** Cards that were declined at the first try. */
  declined = 0;
  /** Answers that were given again for the same key. */
  replays = 0;
  /** What was not as the rules say. None, or the demo fails. */
  readonly faults: string[] = [];

  /** A bet on one option, or on several together. */
  bet(
    userId: string,
    options: readonly Option[],
    stake: number,
    { betId, potentialPayout }: PlacedBetDto,
  ): void {
    const legs = options.map(legOf);
    const kind = legs.length === 1 ? (legs[0]?.kind ?? '') : 'parlay';
    this.bets.set(betId, { userId, kind, legs, stake });
    if (potentialPayout < stake) this.faults.push(`bet ${betId} would pay ${potentialPayout} for ${stake}`);
  }

  payment(payment: PaymentDto): void {
    this.payments.set(payment.id, payment);
    const { id, purpose, status } = payment;
    if (status !== 'succeeded') this.faults.push(`payment ${id} for a ${purpose} is ${status}`);
  }

  refusal({ status, code, message }: Refusal): void {
    const known = this.refusals.get(code);
    if (known) known.count += 1;
    else this.refusals.set(code, { status, code, message, count: 1 });
  }

  /** Notes what was tried on purpose; it is a fault when it was not refused, or for another reason. */
  expectRefusal(code: string, what: string, answer: Answer<unknown>): void {
    if (!answer.ok) this.refusal(answer.refusal);
    const came = answer.ok ? 'it was accepted' : answer.refusal.code;
    if (came !== code) this.faults.push(`${what}: expected ${code}, but ${came}`);
  }

  /** Bets that are not decided yet, by the scores of the games that have finished. */
  openBets(finished: ReadonlySet<string>, scores: ReadonlyMap<string, Score>): number {
    const scoreOf = ({ gameId, externalId }: GradedLeg) =>
      finished.has(gameId) ? scores.get(externalId) : undefined;
    return [...this.bets.values()].filter((bet) => !isDecided(bet, scoreOf)).length;
  }
}

function legOf({ game, market, price }: Option): GradedLeg {
  if (price.american === null) throw new Error(`the price ${price.oddsId} of an NFL game is not American`);
  const { kind, line } = market;
  const { id: gameId, externalId } = game;
  return { gameId, externalId, kind, line, outcome: price.outcome, american: price.american };
}
