import { GAME_ENDS, type GameReport } from '../../domain/game-report.js';
import type { QuarantineKind, QuarantineReason } from '../feeds.types.js';
import { reportOfResult, reportOfScore } from './feed-words.js';

/** What an operator takes over of a doubt, or why there is nothing to take over. */
export type Acceptable = { readonly gameId: string; readonly report: GameReport } | { readonly why: string };

/** Faults that no word of anybody makes right: what was said is not a score at all. */
const SENSELESS: readonly QuarantineReason[] = [
  'SCORE_IMPOSSIBLE',
  'UNREADABLE',
  'TEAM_UNKNOWN',
  'RESULT_INCOMPLETE',
];
const STATUSES = [...GAME_ENDS, 'postponed'] as const;

/** What may be taken over as an operator's word: scores, results and starts of games that are known. */
export function acceptableOf(doubt: {
  readonly kind: QuarantineKind;
  readonly game_id: string | null;
  readonly reason: QuarantineReason;
  readonly details: Readonly<Record<string, unknown>>;
}): Acceptable {
  const { kind, game_id: gameId, reason, details } = doubt;
  if (kind === 'odds')
    return {
      why: 'Prices are not taken over: the market opens again with the next price that passes the checks.',
    };
  if (gameId === null) return { why: 'The game is not known.' };
  if (SENSELESS.includes(reason)) return { why: 'It is not a score, and would not be one by your word.' };
  if (kind === 'schedule') {
    const startsAt = typeof details['startsAt'] === 'string' ? new Date(details['startsAt']) : null;
    return startsAt === null
      ? { why: 'It names no start that could be taken over.' }
      : { gameId, report: { status: 'postponed', startsAt } };
  }
  const { home, away } = details;
  if (kind === 'score')
    return typeof home === 'number' && typeof away === 'number'
      ? { gameId, report: reportOfScore({ ...details, externalId: '', home, away }) }
      : { why: 'It names no score.' };
  const status = STATUSES.find((one) => one === details['status']);
  if (status === undefined) return { why: 'It does not say how the game ended.' };
  const { startsAt, ...rest } = details;
  return {
    gameId,
    report: reportOfResult({
      ...rest,
      externalId: '',
      status,
      ...(typeof startsAt === 'string' && status === 'postponed' ? { startsAt: new Date(startsAt) } : {}),
    }),
  };
}
