import { describe, expect, it } from '@jest/globals';
import {
  endEvent,
  type GameReport,
  isKnown,
  isOver,
  missingScore,
  NO_STAND,
  type Stand,
  standOf,
} from './game-report.js';
import { GAME_STATES, gameMachine } from './markets.js';

const STAND: Stand = {
  homeScore: 7,
  awayScore: 3,
  minutesPlayed: 30,
  periods: [[7, 3]],
  props: { first: ['a'] },
};

describe('how a game stands', () => {
  it.each<[GameReport, Stand]>([
    [
      { status: 'in_progress', homeScore: 14 },
      { ...STAND, homeScore: 14 },
    ],
    [
      { status: 'in_progress', props: { last: ['b'] } },
      { ...STAND, props: { last: ['b'] } },
    ],
    [
      { status: 'final', homeScore: 14, awayScore: 10 },
      { ...STAND, homeScore: 14, awayScore: 10, minutesPlayed: null },
    ],
    [
      {
        status: 'final',
        homeScore: 14,
        awayScore: 10,
        periods: [
          [7, 3],
          [7, 7],
        ],
        props: {},
      },
      {
        homeScore: 14,
        awayScore: 10,
        minutesPlayed: null,
        periods: [
          [7, 3],
          [7, 7],
        ],
        props: {},
      },
    ],
    [{ status: 'abandoned' }, { ...STAND, homeScore: null, awayScore: null, minutesPlayed: null }],
    [
      { status: 'cancelled', homeScore: 3, props: { first: ['b'] } },
      { ...NO_STAND, props: STAND.props },
    ],
    [{ status: 'walkover' }, { ...NO_STAND, props: STAND.props }],
    [
      { status: 'walkover', homeScore: 3, awayScore: 0 },
      { ...NO_STAND, homeScore: 3, awayScore: 0, props: STAND.props },
    ],
  ])('by %j', (report, expected) => {
    expect(standOf(STAND, report)).toEqual(expected);
  });
});

describe('what is known', () => {
  const startsAt = new Date('2023-10-08T17:00:00Z');
  it.each<[string, Partial<Stand>, GameReport, boolean]>([
    ['final', { minutesPlayed: null }, { status: 'final', homeScore: 7, awayScore: 3 }, true],
    ['final', { minutesPlayed: null }, { status: 'final', homeScore: 7, awayScore: 4 }, false],
    ['final', {}, { status: 'final', homeScore: 7, awayScore: 3 }, true],
    ['final', {}, { status: 'final', homeScore: 7, awayScore: 3, minutesPlayed: 31 }, false],
    [
      'final',
      { minutesPlayed: null },
      { status: 'final', homeScore: 7, awayScore: 3, minutesPlayed: 30 },
      false,
    ],
    ['final', {}, { status: 'final' }, false],
    ['abandoned', {}, { status: 'abandoned', homeScore: 7, awayScore: 3 }, false],
    [
      'final',
      { minutesPlayed: null },
      { status: 'final', homeScore: 7, awayScore: 3, props: { first: ['a'] } },
      true,
    ],
    [
      'final',
      { minutesPlayed: null },
      { status: 'final', homeScore: 7, awayScore: 3, props: { first: ['a', 'b'] } },
      false,
    ],
    [
      'final',
      { minutesPlayed: null },
      {
        status: 'final',
        homeScore: 7,
        awayScore: 3,
        periods: [
          [7, 0],
          [0, 3],
        ],
      },
      false,
    ],
    ['final', {}, { status: 'cancelled' }, false],
    ['in_progress', {}, { status: 'in_progress', minutesPlayed: 30 }, true],
    ['in_progress', {}, { status: 'in_progress', minutesPlayed: 31 }, false],
    ['cancelled', {}, { status: 'cancelled', homeScore: 3 }, true],
    ['postponed', {}, { status: 'postponed' }, true],
    ['scheduled', {}, { status: 'postponed', startsAt }, true],
    ['scheduled', {}, { status: 'postponed', startsAt: new Date(0) }, false],
  ])('of a game that is %s (%j): %j is: %s', (status, stand, report, is) => {
    const game = { ...STAND, ...stand, status: status as 'final', startsAt };
    expect(isKnown(game, report)).toBe(is);
  });
});

describe('a score that is missing', () => {
  it.each<[GameReport['status'], Partial<Stand>, string | null]>([
    ['final', {}, null],
    ['final', { homeScore: null }, 'homeScore'],
    ['final', { awayScore: null }, 'awayScore'],
    ['abandoned', { homeScore: null, minutesPlayed: null }, null],
    ['abandoned', { homeScore: null }, 'homeScore'],
    ['in_progress', { awayScore: null }, 'awayScore'],
    ['walkover', { homeScore: null, awayScore: null, minutesPlayed: null }, null],
  ])('of a game that is %s (%j) is %s', (status, stand, missing) => {
    expect(missingScore(status, { ...STAND, ...stand })).toBe(missing);
  });
});

it('every end can be said of every game, first or as a correction', () => {
  for (const status of GAME_STATES)
    for (const end of ['final', 'cancelled', 'abandoned', 'walkover'] as const)
      expect([status, gameMachine.next(status, endEvent(status, end))]).toEqual([status, end]);
  expect(GAME_STATES.filter(isOver)).toEqual(['final', 'cancelled', 'abandoned', 'walkover']);
});
