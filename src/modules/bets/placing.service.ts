import { Injectable } from '@nestjs/common';
import { Rules } from '../../platform/config/rules.js';
import { GroupedCalls } from '../../platform/database/grouped-calls.js';
import { restarted } from '../../platform/database/restarted.js';
import { placementErrors } from './bets.errors.js';
import {
  BetsRepository,
  type Placement,
  type PlacementOutcome,
  type PlacementRules,
} from './bets.repository.js';
import { type ParlayPlacement, SlipsRepository } from './slips.repository.js';

/** Takes singles in groups: what comes in while the calls before are under way is one call. A parlay is a call of its own. */
@Injectable()
export class PlacingService {
  private readonly groups = new GroupedCalls<Placement, PlacementOutcome>({
    subjectOf: ({ userId }) => userId,
    call: async (bets) => await this.inGroup(bets),
    alone: async (bet) => await this.alone(bet),
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
    return answerOf(await this.groups.ask(bet));
  }

  async placeParlay(parlay: ParlayPlacement): Promise<Record<string, unknown>> {
    return answerOf(await restarted(async () => taken(await this.slips.placeParlay(parlay, this.limits))));
  }

  private async inGroup(bets: readonly Placement[]): Promise<(PlacementOutcome | null)[]> {
    const outcomes = await this.repository.place(bets, this.limits, false);
    return outcomes.map((outcome) => (outcome.refusal === 'BUSY' ? null : outcome));
  }

  /** Waits for the member's row and the gates. */
  private async alone(bet: Placement): Promise<PlacementOutcome> {
    const [outcome] = await this.repository.place([bet], this.limits, true);
    return taken(outcome);
  }
}

function taken(outcome: PlacementOutcome | null | undefined): PlacementOutcome {
  if (!outcome) throw new Error('the placing of a bet was not answered');
  return outcome;
}

function answerOf({ refusal, details, answer }: PlacementOutcome): Record<string, unknown> {
  if (refusal === null && answer) return answer;
  const error = placementErrors[refusal ?? ''];
  if (!error) throw new Error(`the placing of a bet was answered with ${refusal}`);
  throw error(details ?? {});
}
