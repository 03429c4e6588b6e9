import { Injectable } from '@nestjs/common';
import { Rules } from '../../platform/config/rules.js';
import { isRetryable } from '../../platform/database/database-errors.js';
import { GroupedCalls } from '../../platform/database/grouped-calls.js';
import { DomainError } from '../../platform/http/domain-error.js';
import { placementErrors } from './bets.errors.js';
import {
  BetsRepository,
  type Placement,
  type PlacementOutcome,
  type PlacementRules,
} from './bets.repository.js';
import { type ParlayPlacement, SlipsRepository } from './slips.repository.js';

/** A bet that a deadlock chose as its victim left nothing behind. */
const ATTEMPTS = 4;

/** Two calls under way keep a connection busy while the other's answers are read. */
const UNDER_WAY = 2;
const LARGEST = 64;

/** Takes singles in groups: what comes in while the calls before are under way is one call. A parlay is a call of its own. */
@Injectable()
export class PlacingService {
  private readonly groups = new GroupedCalls<Placement, PlacementOutcome>({
    underWay: UNDER_WAY,
    largest: LARGEST,
    subjectOf: ({ userId }) => userId,
    call: async (bets) => await this.repository.place(bets, this.limits, false),
  });

  constructor(
    private readonly repository: BetsRepository,
    private readonly slips: SlipsRepository,
    private readonly rules: Rules,
  ) {}

  /** What a bet may be. */
  get limits(): PlacementRules {
    const { pools, bets, auth } = this.rules;
    const { minStake, maxStake } = pools;
    return { minStake, maxStake, maxPayout: bets.maxPayout, minimumAge: auth.minimumAge };
  }

  /** The answer, which says whether it was a replay. Throws every refusal of `placementErrors`. */
  async place(bet: Placement): Promise<Record<string, unknown>> {
    return answerOf(await this.inGroupOrAlone(bet));
  }

  async placeParlay(parlay: ParlayPlacement): Promise<Record<string, unknown>> {
    return answerOf(await this.untilTaken(async () => await this.slips.placeParlay(parlay, this.limits)));
  }

  /** What fails one bet of a group (but a database that is away) may be another's fault: it is asked again by itself. */
  private async inGroupOrAlone(bet: Placement): Promise<PlacementOutcome> {
    const outcome = await this.groups.ask(bet).catch((error: unknown) => {
      if (error instanceof DomainError) throw error;
      return null;
    });
    if (outcome !== null && outcome.refusal !== 'BUSY') return outcome;
    return await this.untilTaken(
      async () => (await this.repository.place([bet], this.limits, true))[0] ?? null,
    );
  }

  private async untilTaken(
    call: () => Promise<PlacementOutcome | null>,
    attempt = 1,
  ): Promise<PlacementOutcome> {
    try {
      const outcome = await call();
      if (!outcome) throw new Error('the placing of a bet was not answered');
      return outcome;
    } catch (error) {
      if (isRetryable(error) && attempt < ATTEMPTS) return await this.untilTaken(call, attempt + 1);
      throw error;
    }
  }
}

function answerOf({ refusal, details, answer }: PlacementOutcome): Record<string, unknown> {
  if (refusal === null && answer) return answer;
  const error = placementErrors[refusal ?? ''];
  if (!error) throw new Error(`the placing of a bet was answered with ${refusal}`);
  throw error(details ?? {});
}
