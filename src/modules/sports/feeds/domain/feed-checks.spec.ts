import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadRules } from '../../../../platform/config/load-config.js';
import type { FeedGame, FeedResult } from '../sports-feed.js';
import { gameFault, resultFault, scoreFault } from './feed-checks.js';
import { gamesTwice } from './games-twice.js';

const { checks, names } = loadRules(join(import.meta.dirname, '../../../../../config')).sports;
const NFL = 'american_football';
const NOW = new Date('2023-10-08T12:00:00Z');
const sports = Object.keys(names);

describe('a game on the schedule', () => {
  const game: FeedGame = {
    externalId: 'a',
    sport: NFL,
    league: 'NFL',
    season: '2023',
    homeTeam: 'KC',
    awayTeam: 'DET',
    startsAt: new Date('2023-10-09T17:00:00Z'),
    neutral: false,
  };
  const known = {
    homeTeam: 'KC',
    awayTeam: 'DET',
    startsAt: game.startsAt,
    toldStartsAt: game.startsAt,
    begun: false,
  };
  const begun = {
    ...known,
    startsAt: new Date('2023-10-08T11:00:00Z'),
    toldStartsAt: new Date('2023-10-08T11:00:00Z'),
  };

  it.each([
    ['nothing, of a new one', game, null, null],
    [
      'nothing, of one that starts at another time',
      { ...game, startsAt: new Date('2023-10-10T17:00:00Z') },
      known,
      null,
    ],
    [
      'nothing, of one that an operator moved to where it is told',
      { ...game, startsAt: new Date('2023-10-10T17:00:00Z') },
      { ...known, startsAt: new Date('2023-10-10T17:00:00Z') },
      null,
    ],
    ['nothing, of a begun one that is told as it was', { ...game, startsAt: begun.startsAt }, begun, null],
    ['an unknown sport', { ...game, sport: 'curling' }, null, 'SPORT_UNCONFIGURED'],
    ['a side that plays itself', { ...game, awayTeam: 'KC' }, null, 'SAME_TEAMS'],
    [
      'a start in another age',
      { ...game, startsAt: new Date('2033-10-09T17:00:00Z') },
      null,
      'START_TOO_FAR',
    ],
    ['a start that is no time', { ...game, startsAt: new Date(Number.NaN) }, null, 'START_TOO_FAR'],
    [
      'home and away the other way round',
      { ...game, homeTeam: 'DET', awayTeam: 'KC' },
      known,
      'TEAMS_CHANGED',
    ],
    [
      'a start that moves into the past',
      { ...game, startsAt: new Date('2023-10-08T11:59:00Z') },
      known,
      'START_IN_PAST',
    ],
    ['a start that moves once it has begun', game, begun, 'START_AFTER_BEGUN'],
    [
      'the same when it is said to be in progress',
      { ...game, startsAt: new Date('2023-10-10T17:00:00Z') },
      { ...known, begun: true },
      'START_AFTER_BEGUN',
    ],
  ] as const)('finds %s', (_, told, held, reason) => {
    expect(gameFault(told, held, { sports, checks, now: NOW })?.reason ?? null).toBe(reason);
  });

  const twice = (told: FeedGame[], held: FeedGame[] = []) => [...gamesTwice(told, held, checks).keys()];
  const other = (externalId: string, hours: number, teams: Partial<FeedGame> = {}): FeedGame => ({
    ...game,
    ...teams,
    externalId,
    startsAt: new Date(game.startsAt.getTime() + hours * 3_600_000),
  });

  it('finds games that are there twice', () => {
    expect(twice([game, other('b', 23)])).toEqual(['b']);
    expect(twice([game, other('b', 23, { homeTeam: 'DET', awayTeam: 'KC' })])).toEqual(['b']);
    expect(twice([other('b', 1)], [game])).toEqual(['b']);
    expect(twice([game, other('b', 1)], [game])).toEqual(['b']);
    expect(twice([game, game])).toEqual(['a']);
    expect(twice([other('b', 0), other('c', 1), other('d', 2)])).toEqual(['c', 'd']);
  });

  it('leaves alone who meets again a day later, a double-header, and what is held already', () => {
    expect(twice([game, other('b', 24)])).toEqual([]);
    const baseball = { sport: 'baseball' };
    expect(twice([other('a', 0, baseball), other('b', 4, baseball)])).toEqual([]);
    expect(twice([game, other('b', 1)], [game, other('b', 1)])).toEqual([]);
    // One that has moved away is not in the way where it was.
    expect(twice([other('a', 72), other('b', 1)], [game])).toEqual([]);
    // Nor is one that is off, whether it is still told or not.
    const off = { ...game, off: true };
    expect(twice([other('b', 1)], [off])).toEqual([]);
    expect(twice([game, other('b', 1)], [off])).toEqual([]);
    expect(twice([game, other('b', 1), other('c', 2)], [off])).toEqual(['c']);
  });
});

describe('scores and results', () => {
  const stand = { sport: NFL, startsAt: new Date('2023-10-08T11:00:00Z'), home: 14, away: 3 };
  const context = { checks, now: NOW };

  it.each([
    ['nothing, of more points', { home: 21, away: 3 }, null],
    [
      'nothing, of the same',
      {
        home: 14,
        away: 3,
        periods: [
          [14, 0],
          [0, 3],
        ],
      },
      null,
    ],
    ['fewer points', { home: 7, away: 3 }, 'SCORE_BACKWARDS'],
    ['fewer points of the other', { home: 21, away: 0 }, 'SCORE_BACKWARDS'],
    ['points below nothing', { home: 14, away: -3 }, 'SCORE_IMPOSSIBLE'],
    ['half a point', { home: 14.5, away: 3 }, 'SCORE_IMPOSSIBLE'],
    ['more than anybody ever scored', { home: 151, away: 3 }, 'SCORE_IMPOSSIBLE'],
    ['no number', { home: Number.NaN, away: 3 }, 'SCORE_IMPOSSIBLE'],
    ['minutes that no game has', { home: 14, away: 3, minutesPlayed: 1e10 }, 'SCORE_IMPOSSIBLE'],
    ['half a minute', { home: 14, away: 3, minutesPlayed: 1.5 }, 'SCORE_IMPOSSIBLE'],
    ['periods that make another score', { home: 14, away: 3, periods: [[7, 3]] }, 'PERIODS_CONTRADICT'],
  ] as const)('finds %s', (_, score, reason) => {
    expect(scoreFault(score, stand, context)?.reason ?? null).toBe(reason);
  });

  it('finds a score before the start', () => {
    const early = { ...stand, startsAt: new Date('2023-10-08T12:00:01Z') };
    expect(scoreFault({ home: 0, away: 0 }, early, context)?.reason).toBe('BEFORE_START');
  });

  it.each([
    ['nothing, of an end', { status: 'final', home: 14, away: 10 }, null],
    ['an end below the last stand', { status: 'final', home: 10, away: 10 }, 'SCORE_BACKWARDS'],
    ['an end without a score', { status: 'final', home: 14 }, 'RESULT_INCOMPLETE'],
    ['nothing, of one that is cancelled', { status: 'cancelled' }, null],
    ['nothing, of a walk-over', { status: 'walkover' }, null],
    ['one broken off below the last stand', { status: 'abandoned', home: 0, away: 3 }, 'SCORE_BACKWARDS'],
  ] as const)('finds %s', (_, result, reason) => {
    expect(resultFault({ externalId: 'a', ...result }, stand, context)?.reason ?? null).toBe(reason);
  });

  it('finds an end before the start, of whatever kind that needs one', () => {
    const early = { ...stand, startsAt: new Date('2023-10-08T12:00:01Z') };
    const of = (result: Omit<FeedResult, 'externalId'>) =>
      resultFault({ externalId: 'a', ...result }, early, context)?.reason ?? null;
    expect(of({ status: 'final', home: 14, away: 10 })).toBe('BEFORE_START');
    expect(of({ status: 'abandoned' })).toBe('BEFORE_START');
    expect(of({ status: 'cancelled' })).toBeNull();
  });

  it('keeps the whole word, for an operator to take it over', () => {
    const result: FeedResult = { externalId: 'a', status: 'final', home: 10, away: 10, periods: [[10, 10]] };
    expect(resultFault(result, stand, context)?.details).toMatchObject({
      status: 'final',
      home: 10,
      away: 10,
      periods: [[10, 10]],
      from: [14, 3],
    });
  });
});
