import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { PlacedRequest } from '../../platform/geo/current-place.decorator.js';
import type { Place } from '../../platform/geo/place.js';
import { PlacesService } from '../../platform/geo/places.service.js';
import { SocketsService } from '../../platform/realtime/sockets.service.js';
import type { Declaration } from '../../platform/security/operates.decorator.js';
import type { Subject, SubjectRequest } from '../../platform/security/subject.js';
import type { Bar, Refusal } from './domain/policy.js';
import { JurisdictionsService } from './jurisdictions.service.js';
import { OperationsService } from './operations.service.js';
import { PolicyService } from './policy.service.js';
import { PlaySessionsPort } from './reality-checks/play-sessions.port.js';
import { RealityChecksService } from './reality-checks/reality-checks.service.js';

const ANYTHING: Declaration = { operation: 'read', product: null };
/** What the cached session told. */
const OF_SESSION: ReadonlySet<Refusal['code']> = new Set([
  'UNDER_AGE',
  'AGE_NOT_VERIFIED',
  'REALITY_CHECK_DUE',
]);

/**
 * Asks the policy of each request, after its session: where the caller is, what the route was declared to be, how old they are, whether
 * a reality check waits. What bars them is asked here where no statement asks it: of what is said to others. A session that is let pass
 * follows the rules of the place from then on.
 */
@Injectable()
export class ComplianceGuard implements CanActivate {
  constructor(
    private readonly places: PlacesService,
    private readonly operations: OperationsService,
    private readonly policy: PolicyService,
    private readonly jurisdictions: JurisdictionsService,
    private readonly sessions: PlaySessionsPort,
    private readonly checks: RealityChecksService,
    private readonly sockets: SocketsService,
  ) {}

  canActivate(context: ExecutionContext): true | Promise<true> {
    const declared = this.operations.of(context);
    if (declared.operation === 'staff' || declared.operation === 'machine') return true;
    const request = context.switchToHttp().getRequest<SubjectRequest & PlacedRequest>();
    const place = this.places.placeOf(request);
    request.place = place;
    const { subject } = request;
    if (subject === undefined) {
      this.policy.require(null, declared, place);
      return true;
    }
    const refusal = declared.operation === 'social' ? undefined : this.judge(subject, declared, place, []);
    const jurisdiction = this.jurisdictions.of(place);
    const following = jurisdiction && this.checks.follow(subject, jurisdiction);
    if (refusal === null && following === null) return true; // nearly always
    return this.judgeAnew(subject, declared, place, refusal).then(async (known) => {
      request.subject = known;
      await following;
      return true as const;
    });
  }

  private judge(subject: Subject, declared: Declaration, place: Place, bars: readonly Bar[]): Refusal | null {
    return this.policy.judge({ ...subject, bars }, declared, place);
  }

  /**
   * Nobody is refused by what Redis says alone, and whom Postgres bars does not talk. `found` undefined: nobody has asked yet. Who they are,
   * as it was read last.
   */
  private async judgeAnew(
    subject: Subject,
    declared: Declaration,
    place: Place,
    found: Refusal | null | undefined,
  ): Promise<Subject> {
    let current = subject;
    let refusal =
      found === undefined
        ? this.judge(subject, declared, place, await this.policy.barsOf(subject.userId))
        : found;
    if (refusal !== null && OF_SESSION.has(refusal.code)) {
      const known = await this.sessions.get().refresh(subject.sessionId);
      if (known !== null) {
        current = { ...subject, ...known };
        refusal = this.judge(current, declared, place, []);
      }
    }
    if (refusal === null) return current;
    if (refusal.code === 'GEO_BLOCKED') this.endSockets(subject, place);
    throw this.policy.errorOf(refusal, declared, place);
  }

  /** Of who has gone where nothing is offered: they may open again where they may. */
  private endSockets({ userId }: Subject, place: Place): void {
    if (this.policy.judge(null, ANYTHING, place) === null) return;
    void this.sockets.close({ userId, reason: 'GEO_BLOCKED' }).catch(() => undefined);
  }
}
