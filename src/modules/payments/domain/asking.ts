const MINUTE_MS = 60_000;
const LONGEST_MS = 6 * 60 * MINUTE_MS;

/** When a provider is asked again that had no word after so many times: later each time, in the end four times a day. */
export function askAgainAt(now: Date, asked: number, firstMinutes: number): Date {
  return new Date(now.getTime() + Math.min(firstMinutes * MINUTE_MS * 2 ** Math.min(asked, 20), LONGEST_MS));
}
