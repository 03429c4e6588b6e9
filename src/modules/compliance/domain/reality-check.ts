const MINUTE_MS = 60_000;

/**
 * When the next reality check of a session is due. What counts is the time since the session began or the last check was acknowledged,
 * with idle time: a check tells how long somebody has been here, and who was away is told so too (UKGC RTS 13B).
 */
export function realityCheckDueAt(checkedAt: Date, minutes: number): Date {
  return new Date(checkedAt.getTime() + minutes * MINUTE_MS);
}

/** Minutes between the checks of a session: who is somewhere may have asked for fewer than the place does, never for more. */
export function minutesBetweenChecks(place: number, session: number | null): number {
  return session === null ? place : Math.min(place, session);
}

/** Whole minutes from one time to another; 0 when there is none between them. */
export function wholeMinutes(from: Date, to: Date): number {
  return Math.max(0, Math.floor((to.getTime() - from.getTime()) / MINUTE_MS));
}
