const MINUTE_MS = 60_000;

export interface VelocityLimits {
  readonly failures: number;
  readonly minutes: number;
  readonly blockMinutes: number;
}

/**
 * Until when somebody may not pay, whose payments failed at these times; null when they may. So many failures within so many
 * minutes block from the last of them on.
 */
export function blockedUntil(failedAt: readonly Date[], now: Date, limits: VelocityLimits): Date | null {
  const times = failedAt.map((at) => at.getTime()).toSorted((a, b) => a - b);
  for (let last = times.length - 1; last >= limits.failures - 1; last -= 1) {
    const [from, to] = [times[last - limits.failures + 1] ?? 0, times[last] ?? 0];
    if (to - from > limits.minutes * MINUTE_MS) continue;
    const until = to + limits.blockMinutes * MINUTE_MS;
    return until > now.getTime() ? new Date(until) : null;
  }
  return null;
}

/** From when on failures may still block somebody. */
export function failuresSince(now: Date, { minutes, blockMinutes }: VelocityLimits): Date {
  return new Date(now.getTime() - (minutes + blockMinutes) * MINUTE_MS);
}
