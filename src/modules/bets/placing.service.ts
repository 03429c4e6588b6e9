import { Injectable } from '@nestjs/common';
import { Rules } from '../../platform/config/rules.js';
import { isRetryable } from '../../platform/database/database-errors.js';
import { GroupedCalls } from '../../platform/database/grouped-calls.js';
import { DomainError } from '../../platform/http/domain-error.js';
import { placementErrors } from './bets.errors.js';
import { BetsRepository, type Placement, type PlacementOutcome } from './bets.repository.js';

/** A bet that a deadlock chose as its victim left nothing behind. */
const ATTEMPTS = 4;

/** Two calls under way keep a connection busy while the other's answers are read. */
const UNDER_WAY = 2;
const LARGEST = 64;

/** Takes bets in groups: what comes in while the calls before are under way is one call. */
@Injectable()
export class PlacingService {
  private readonly groups = new GroupedCalls<Placement, PlacementOutcome>({
    underWay: UNDER_WAY,
    largest: LARGEST,
    subjectOf: ({ userId }) => userId,
    call: async (bets) => await this.call(bets, false),
  });

  constructor(
    private readonly repository: BetsRepository,
    private readonly rules: Rules,
  ) {}

  /** The answer, which says whether it was a replay. Throws every refusal of `placementErrors`. */
  async place(bet: Placement): Promise<Record<string, unknown>> {
    const { refusal, details, answer } = await this.inGroupOrAlone(bet);
    if (refusal === null && answer) return answer;
    const error = placementErrors[refusal ?? ''];
    if (!error) throw new Error(`place_bets answered ${refusal}`);
    throw error(details ?? {});
  }

  /** What fails one bet of a group (but a database that is away) may be another's fault: it is asked again by itself. */
  private async inGroupOrAlone(bet: Placement): Promise<PlacementOutcome> {
    const outcome = await this.groups.ask(bet).catch((error: unknown) => {
      if (error instanceof DomainError) throw error;
      return null;
    });
    return outcome === null || outcome.refusal === 'BUSY' ? await this.alone(bet) : outcome;
  }

  private async alone(bet: Placement, attempt = 1): Promise<PlacementOutcome> {
    try {
      const [outcome] = await this.call([bet], true);
      if (!outcome) throw new Error('place_bets did not answer');
      return outcome;
    } catch (error) {
      if (isRetryable(error) && attempt < ATTEMPTS) return await this.alone(bet, attempt + 1);
      throw error;
    }
  }

  private async call(bets: readonly Placement[], wait: boolean): Promise<PlacementOutcome[]> {
    const { pools, auth } = this.rules;
    const { minStake, maxStake } = pools;
    return await this.repository.place(bets, { minStake, maxStake, minimumAge: auth.minimumAge }, wait);
  }
}
