import { Injectable, Logger } from '@nestjs/common';
import { Clock } from '../../../platform/clock/clock.js';
import type { Jurisdiction } from '../../../platform/config/jurisdiction-rules.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import type { Place } from '../../../platform/geo/place.js';
import { DeadlinesService } from '../../../platform/jobs/deadlines.service.js';
import { SocketsService } from '../../../platform/realtime/sockets.service.js';
import type { Subject } from '../../../platform/security/subject.js';
import { minutesBetweenChecks, realityCheckDueAt } from '../domain/reality-check.js';
import { JurisdictionsService } from '../jurisdictions.service.js';
import type { RealityCheckDto } from './dto/reality-check.dto.js';
import { type PlaySession, PlaySessionsPort, type SessionRules } from './play-sessions.port.js';
import { realityCheckErrors } from './reality-checks.errors.js';
import { REALITY_CHECK_DEADLINES } from './reality-checks.events.js';
import { RealityChecksRepository } from './reality-checks.repository.js';
import { realityCheckTold } from './reality-checks.sockets.js';
import { SessionPlayService } from './session-play.service.js';

/**
 * Reality checks (UKGC RTS 13B): every so many minutes of a session its user is told how long it has lasted and what was played, and has
 * to acknowledge that before anything is staked or paid in.
 */
@Injectable()
export class RealityChecksService {
  private readonly logger = new Logger('RealityChecks');
  /** Of the requests with which a session begins one asks, and the others wait for it. */
  private readonly following = new Map<string, Promise<void>>();

  constructor(
    private readonly port: PlaySessionsPort,
    private readonly repository: RealityChecksRepository,
    private readonly play: SessionPlayService,
    private readonly jurisdictions: JurisdictionsService,
    private readonly deadlines: DeadlinesService,
    private readonly sockets: SocketsService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * For the guard, of every request: has the session follow the rules of the place, where they are stricter than those it follows. Null,
   * nearly always: it does already. It throws nothing: what fails is tried again by the next request, and the guard goes by the place.
   */
  follow(subject: Subject, { realityCheckMinutes, onIdle, zone }: Jurisdiction): Promise<void> | null {
    const { sessionId, checkMinutes, endsIdle } = subject;
    const often = checkMinutes !== null && checkMinutes <= realityCheckMinutes;
    if (often && (endsIdle || onIdle !== 'end')) return null;
    const known = this.following.get(sessionId);
    if (known) return known;
    const asked = { checkMinutes: realityCheckMinutes, endsIdle: onIdle === 'end', zone };
    const following = this.followNow(sessionId, asked)
      .catch((error: unknown) => this.logger.warn(error))
      .finally(() => this.following.delete(sessionId));
    this.following.set(sessionId, following);
    return following;
  }

  private async followNow(sessionId: string, asked: SessionRules): Promise<void> {
    await this.unitOfWork.run(async (manager) => {
      const session = await this.port.get().follow(manager, sessionId, asked);
      await this.deadlines.set(
        manager,
        REALITY_CHECK_DEADLINES.due,
        ...deadlinesOf(session ? [session] : []),
      );
    });
    await this.port.get().refresh(sessionId);
  }

  /** Throws PLAY_SESSION_OVER. */
  async state({ sessionId, userId }: Subject, place: Place): Promise<RealityCheckDto> {
    const session = await this.port.get().find(sessionId);
    if (session === null) throw realityCheckErrors.PLAY_SESSION_OVER();
    const now = this.clock.now();
    const maximumMinutes = this.minutesIn(place);
    const everyMinutes = minutesBetweenChecks(maximumMinutes, session.checkMinutes);
    const dueAt = realityCheckDueAt(session.checkedAt, everyMinutes);
    return {
      due: now >= dueAt,
      dueAt: dueAt.toISOString(),
      everyMinutes,
      chosenMinutes: await this.port.get().chosenMinutes(userId),
      maximumMinutes,
      session: await this.play.of(session, now),
    };
  }

  /**
   * Acknowledges the check that waits, and the next one counts from now on. Nothing waits: nothing is done, so that nobody puts the next
   * one off before they have seen it, and however often it is asked it is done once. Throws PLAY_SESSION_OVER.
   */
  async acknowledge(subject: Subject, place: Place): Promise<RealityCheckDto> {
    const { sessionId, userId } = subject;
    await this.unitOfWork.run(async (manager) => {
      const session = await this.port.get().lock(manager, sessionId);
      if (session === null) throw realityCheckErrors.PLAY_SESSION_OVER();
      const now = this.clock.now();
      const minutes = minutesBetweenChecks(this.minutesIn(place), session.checkMinutes);
      const dueAt = realityCheckDueAt(session.checkedAt, minutes);
      if (now < dueAt) return;
      const check = { sessionId, userId, countsFrom: session.checkedAt, dueAt };
      await this.repository.acknowledge(manager, check, now);
      await this.port.get().acknowledge(manager, sessionId, now);
      const next = { subject: sessionId, dueAt: realityCheckDueAt(now, minutes) };
      await this.deadlines.set(manager, REALITY_CHECK_DEADLINES.due, next);
    });
    // Also where nothing was done: Redis may have missed what was done before, and the guard goes by it.
    await this.port.get().refresh(sessionId);
    return await this.state(subject, place);
  }

  /** For all sessions of the user, at once. Throws REALITY_CHECK_TOO_SELDOM, PLAY_SESSION_OVER. */
  async choose(subject: Subject, place: Place, minutes: number): Promise<RealityCheckDto> {
    const { userId } = subject;
    const maximum = this.minutesIn(place);
    if (minutes > maximum) throw realityCheckErrors.REALITY_CHECK_TOO_SELDOM({ field: 'minutes', maximum });
    await this.unitOfWork.run(async (manager) => {
      const sessions = await this.port.get().chooseMinutes(manager, userId, minutes);
      await this.deadlines.set(manager, REALITY_CHECK_DEADLINES.due, ...deadlinesOf(sessions));
    });
    await this.port.get().refreshUser(userId);
    return await this.state(subject, place);
  }

  /** Tells the sockets of a session that its check is due: once, however often it is asked and by however many processes. */
  async tell(sessionId: string): Promise<void> {
    const session = await this.port.get().find(sessionId);
    if (session === null || session.checkMinutes === null) return;
    const { userId, checkedAt: countsFrom, checkMinutes: everyMinutes } = session;
    const now = this.clock.now();
    const dueAt = realityCheckDueAt(countsFrom, everyMinutes);
    if (now < dueAt) return; // acknowledged meanwhile: its deadline was moved
    const played = await this.play.of(session, now);
    const check = { sessionId, userId, countsFrom, dueAt };
    if (!(await this.repository.claim(check, now))) return;
    try {
      await this.sockets.tell({
        userId,
        sessionId,
        event: realityCheckTold,
        payload: { dueAt: dueAt.toISOString(), everyMinutes, session: played },
      });
    } catch (error) {
      await this.repository.giveBack(check);
      throw error;
    }
  }

  private minutesIn(place: Place): number {
    return this.jurisdictions.ofAnywhere(place).realityCheckMinutes;
  }
}

function deadlinesOf(sessions: readonly PlaySession[]): { subject: string; dueAt: Date }[] {
  return sessions.flatMap(({ id, checkedAt, checkMinutes }) =>
    checkMinutes === null ? [] : [{ subject: id, dueAt: realityCheckDueAt(checkedAt, checkMinutes) }],
  );
}
