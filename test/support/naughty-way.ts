import type { Answer } from './client.js';
import { NAUGHTY } from './naughty-place.js';

/** How a text is written, and where it is read again. */
export interface Way {
  strings: readonly string[];
  /** How many of them are taken, at least. */
  taken: number;
  /** The statuses of a refusal. */
  refused: readonly number[];
  /** One after the other, not many at once. */
  inTurn?: boolean;
  /** Tables that a refusal writes to as well. */
  besides?: readonly string[];
  send: (text: string, index: number) => Promise<Answer>;
  /** What is told of it, by all who tell it. */
  told: (answer: Answer, text: string, index: number) => unknown[] | Promise<unknown[]>;
}

export type Named = [string, Way];

export function way(given: Partial<Way> & Pick<Way, 'send' | 'told'>): Way {
  return { strings: NAUGHTY, taken: 0, refused: [400, 422], ...given };
}

/** How many of the strings a field takes that is as long at most. */
export const fitting = (max: number, strings = NAUGHTY) =>
  strings.filter((text) => text !== '' && Array.from(text).length <= max).length;
