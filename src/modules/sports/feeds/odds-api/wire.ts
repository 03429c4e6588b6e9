/** What the answers of The Odds API are made of, read without trust: null where something is not as documented. */

export interface WireEvent {
  readonly id: string;
  readonly startsAt: Date;
  readonly homeTeam: string;
  readonly awayTeam: string;
  /** All of it, for what only one kind of answer has. */
  readonly rest: Readonly<Record<string, unknown>>;
}

const ID = /^[\x21-\x7e]{1,100}$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const MAX_TEXT = 100;

/**
 * JSON whose `price` and `point` stay the text that they were sent as, for `1.90` is a price and 1.8999999999999999 is not it.
 * Throws SyntaxError.
 */
export function parseExactly(text: string): unknown {
  const parse = JSON.parse as (
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ) => unknown;
  return parse(text, (key, value, { source }) =>
    typeof value === 'number' && (key === 'price' || key === 'point') ? source : value,
  );
}

export function readEvent(value: unknown): WireEvent | null {
  if (!isObject(value)) return null;
  const { id, commence_time: start, home_team: home, away_team: away } = value;
  const startsAt = readInstant(start);
  if (typeof id !== 'string' || !ID.test(id) || startsAt === null) return null;
  if (!isName(home) || !isName(away) || home === away) return null;
  return { id, startsAt, homeTeam: home, awayTeam: away, rest: value };
}

export function readInstant(value: unknown): Date | null {
  if (typeof value !== 'string' || !INSTANT.test(value)) return null;
  const instant = new Date(value);
  return Number.isNaN(instant.getTime()) ? null : instant;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

function isName(value: unknown): value is string {
  return (
    typeof value === 'string' && value.trim() !== '' && value.length <= MAX_TEXT && !/\p{C}/u.test(value)
  );
}
