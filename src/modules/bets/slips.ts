import { httpErrors } from '../../platform/http/http.errors.js';
import type { PlaceBetDto } from './dto/place-bet.dto.js';

/** An outcome of a market, at the price that was shown. */
export interface Leg {
  readonly marketId: string;
  readonly outcome: string;
  readonly oddsId: string | null;
}

/** What is asked for: a single has one leg. Of stake and toWin one is null. */
export interface Slip {
  readonly legs: readonly Leg[];
  readonly stake: number | null;
  readonly toWin: number | null;
  readonly accept: string;
}

/** With the stake that toWin needs. */
export interface StakedSlip extends Omit<Slip, 'toWin'> {
  readonly stake: number;
}

/** Reads a body that is valid field by field. Throws VALIDATION_FAILED when its fields do not go together. */
export function readSlip(body: PlaceBetDto): Slip {
  const { stake, toWin } = body;
  const problems = [...problemsOfLegs(body), ...problemsOfStake(body)];
  if (problems.length > 0)
    throw httpErrors.VALIDATION_FAILED({
      fields: problems.map(([field, problem]) => ({ field, problems: [problem] })),
    });
  return {
    legs: legsOf(body).map(({ marketId, outcome, oddsId }) => ({
      marketId,
      outcome,
      oddsId: oddsId ?? null,
    })),
    stake: stake ?? null,
    toWin: toWin ?? null,
    accept: body.acceptOdds ?? 'exact',
  };
}

function legsOf({ legs, marketId, outcome, oddsId }: PlaceBetDto): NonNullable<PlaceBetDto['legs']> {
  if (legs !== undefined) return legs;
  if (marketId === undefined || outcome === undefined) return [];
  return [{ marketId, outcome, ...(oddsId === undefined ? {} : { oddsId }) }];
}

type Problem = [field: string, problem: string];

function problemsOfLegs({ legs, marketId, outcome, oddsId }: PlaceBetDto): Problem[] {
  const single = { marketId, outcome, oddsId };
  if (legs === undefined)
    return (['marketId', 'outcome'] as const)
      .filter((field) => single[field] === undefined)
      .map((field) => [field, 'send marketId and outcome, or legs']);
  return (['marketId', 'outcome', 'oddsId'] as const)
    .filter((field) => single[field] !== undefined)
    .map((field) => [field, 'goes without legs: each leg has its own']);
}

function problemsOfStake(body: PlaceBetDto): Problem[] {
  const { stake, toWin } = body;
  if ((stake === undefined) === (toWin === undefined)) return [['stake', 'send either stake or toWin']];
  if (toWin === undefined) return [];
  return legsOf(body).flatMap(({ oddsId }, index) =>
    oddsId === undefined
      ? [[body.legs ? `legs.${index}.oddsId` : 'oddsId', 'toWin asks for the price at which it is meant']]
      : [],
  );
}
